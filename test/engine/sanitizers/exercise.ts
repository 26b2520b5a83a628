/**
 * Runs every driver of a sanitized addon over every variant of the model: bundled and started by sanitizers.test.ts in a
 * Node of its own with the sanitizer's library loaded first. Prints how many calls were made; a report ends the process.
 */
import type { Engine } from '../../../src/engine/engine.js';
import { openNativeEngine } from '../../../src/engine/native/engine.js';
import { loadAddon } from '../../../src/engine/native/load.js';
import { activationName, activationNames } from '../../../src/model/activations.js';
import type { GptConfig } from '../../../src/model/gpt-config.js';
import { ADAMW, randomBatch, randomLengths, randomParameters, VARIANTS } from '../cases.js';

/** Beside the small variants: rows of several panels, several chunks, and sequences as long as a chunk. */
const LARGE: readonly GptConfig[] = [
  { ...VARIANTS[3], dModel: 48, nHeads: 3, dMlp: 192, nLayers: 2, dVocab: 45, nCtx: 130 },
  { ...VARIANTS[9], dModel: 33, nHeads: 1, dMlp: 70, nLayers: 2, dVocab: 21, nCtx: 300 },
];

function exercise(engine: Engine, config: GptConfig, seed: number): number {
  const parameters = randomParameters(config, seed);
  const model = engine.createModel(config, { parameters }, 'train');
  let calls = 0;
  for (const [count, density] of [
    [1, 1],
    [7, 0.4],
    [40, 0.1],
  ]) {
    const batch = randomBatch(config, seed + count, randomLengths(config, seed + count, count), density);
    model.trainStep(batch, ADAMW);
    model.computeGradients(batch);
    model.forward(batch);
    const { activations } = model.forward(batch, { capture: activationNames(config) });
    const at = activationName('resid_post', 0);
    model.forward(batch, {
      interventions: [
        { at: activationName('attn_out', 0), op: 'scale', value: 0.5, positions: Int32Array.of(0) },
        { at, op: 'set', value: activations.get(at) ?? 0 },
      ],
    });
    calls += 5;
  }
  const prompts = randomLengths(config, seed, 9).map((length, i) =>
    randomBatch(config, i, [length]).tokens.slice(0, Math.max(1, length - 2)),
  );
  model.generate(prompts, { maxNewTokens: 4, stopToken: 1 });
  let steps = 0;
  model.writeOn?.(prompts[0], {
    interventions: [{ at: activationName('attn_out', 0), op: 'scale', value: 0.5 }],
    next: () => (++steps < 4 ? 0 : undefined),
  });
  model.setState(model.getState());
  model.dispose();
  return calls + 2;
}

const loaded = loadAddon({ file: 'kernels-sanitized.node' });
if (loaded.kind === 'unavailable') throw new Error(loaded.reason);
let calls = 0;
for (const set of loaded.addon.sets.filter(({ supported }) => supported)) {
  for (const threads of [1, 3]) {
    const engine = openNativeEngine(loaded.addon, { threads }, set);
    [...VARIANTS, ...LARGE].forEach((config, index) => {
      calls += exercise(engine, config, index + 1);
    });
    engine.dispose();
  }
}
process.stdout.write(`calls: ${calls}\n`);
