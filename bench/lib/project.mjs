/** The project's own modules for the benchmarks: bundled from the sources, so that no build has to be current. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Compiled helpers and bundles of the benchmarks; ignored by git. */
export const BUILD = join(ROOT, 'build/bench');

const EXPORTS = `
export { openEngine } from './src/engine/registry.js';
export { openNativeEngine } from './src/engine/native/engine.js';
export { loadAddon } from './src/engine/native/load.js';
export { resolveRunConfig } from './src/config/parse.js';
export { gptConfigOf } from './src/config/gpt-config-of.js';
export { ROLES } from './src/listops/language/expression.js';
export { getPreset } from './src/config/presets.js';
export { createGenerator } from './src/listops/sampling/generate.js';
export { activationNames } from './src/model/activations.js';
export { initialParameters } from './src/model/init.js';
export { parameterTable } from './src/model/parameters.js';
export { createEvaluationSet } from './src/train/evaluation-set.js';
export { evaluate } from './src/train/evaluate.js';
export { evaluationChunk } from './src/train/train-run.js';
export { learningRateAt, scheduleOf } from './src/train/schedule.js';
export { exportFiles } from './src/checkpoint/exchange/write.js';
export { openLens } from './src/lens/lens.js';
export { fitPca } from './src/analysis/geometry/pca.js';
export { askGrouped, groupFolds } from './src/analysis/classifiers/grouped-probe.js';
export { listComponents } from './src/lens/components.js';
export { answerOf, headCells, positionCells } from './src/lens/patch.js';
export { residualStages } from './src/lens/logit-lens.js';
export { attributionActivations } from './src/lens/attribution.js';
export { Rng } from './src/tensor/rng.js';
export { describeModel } from './src/engine/kernels/description.js';
`;

/** Path of the bundle, for children that load it too. */
export const BUNDLE = join(BUILD, 'project.mjs');

export async function bundleProject() {
  mkdirSync(BUILD, { recursive: true });
  await build({
    stdin: { contents: EXPORTS, resolveDir: ROOT },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: BUNDLE,
    logLevel: 'error',
  });
  return import(pathToFileURL(BUNDLE).href);
}
