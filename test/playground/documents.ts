/** Documents of the shipped reference runs, and of a small model with strong random weights and two heads. */
import { join } from 'node:path';
import { packageRoot } from '../../src/io/package-root.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import { gptConfigOf } from '../../src/config/gpt-config-of.js';
import { type PlaygroundDocument, playgroundDocument } from '../../src/playground/document.js';
import { loadCheckpoint } from '../../src/workflows/library.js';
import { strongWeights } from '../lens/setup.js';

export const MIXED = 'max-med-sum-pairs-d16-s1-5deca8f89d56';
export const SUM_ONLY = 'sum-pairs-d16-s1-45202e910ba4';

export function referenceDocument(run: string): PlaygroundDocument {
  const { subject, config, parameters } = loadCheckpoint(run, { root: join(packageRoot(), 'checkpoints') });
  const { id: name, label, step, weightsSha256 } = subject;
  return playgroundDocument({ name, label, step, config, weightsSha256, parameters });
}

/** @param seed - of the weights */
export function randomDocument(seed = 1, dModel = 12): PlaygroundDocument {
  const config = resolveRunConfig({
    data: { tasks: ['MAX', 'MED', 'SUM'], depth: 2 },
    model: { dModel, nLayers: 2, nHeads: 2 },
    seed,
  });
  const parameters = strongWeights(gptConfigOf(config), seed);
  return playgroundDocument({
    name: `random-${seed}@0`,
    label: `random ${seed}`,
    step: 0,
    config,
    weightsSha256: '0'.repeat(64),
    parameters,
  });
}
