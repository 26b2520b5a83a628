/** Models and batches that the contenders are compared on, and their files for contenders in other processes. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const WIDTHS = [16, 32, 64, 128];
/** A constant rate: the arithmetic of a step does not depend on it. */
export const OPTIONS = { learningRate: 1e-3, beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.01, clip: 1 };
const SEED = 1;

/** MAX+MED+SUM modulo 10 at depth 2, three layers, one head: the benchmark's run. */
export function depthTwo(project, dModel) {
  return project.resolveRunConfig({ data: { depth: 2 }, model: { dModel, nLayers: 3 }, seed: SEED });
}

/**
 * Batches of the training data: ragged, loss on the completion only.
 * @returns {{gpt: object, batches: object[], options: object, turn: number}} turn: batches of different cost
 */
export function realWorkload(project, dModel, { count = 8, size = 64, loss = 'completion' } = {}) {
  const config = depthTwo(project, dModel);
  const generator = project.createGenerator({ ...config.data, loss }, config.seed);
  const batches = Array.from({ length: count }, (_, step) => copyOf(generator.batch(step, size)));
  return { gpt: project.gptConfigOf(config), batches, options: OPTIONS, turn: count };
}

/** The same text cut into 64 sequences of 64 tokens, loss on every one: nothing is ragged and nothing is padding. */
export function denseWorkload(project, dModel, { count = 8, sequences = 64, length = 64 } = {}) {
  const config = depthTwo(project, dModel);
  const generator = project.createGenerator(config.data, config.seed);
  const wanted = count * sequences * length + 1;
  const text = new Int32Array(wanted);
  for (let at = 0, index = 0; at < wanted; index++) {
    const { tokens } = generator.example(index);
    text.set(tokens.subarray(0, wanted - at), at);
    at += tokens.length;
  }
  const rows = sequences * length;
  const batches = Array.from({ length: count }, (_, b) => ({
    tokens: text.slice(b * rows, (b + 1) * rows),
    targets: text.slice(b * rows + 1, (b + 1) * rows + 1),
    roles: new Int32Array(rows),
    offsets: Int32Array.from({ length: sequences + 1 }, (_, s) => s * length),
  }));
  return { gpt: project.gptConfigOf(config), batches, options: OPTIONS, turn: 1 };
}

/** Only what the engine reads. */
function copyOf({ tokens, targets, roles, offsets }) {
  return { tokens, targets, roles, offsets };
}

/** Writes what peers/lines.py reads. @param seed - of the initial parameters */
export function dumpWorkload(project, folder, { gpt, batches, options, rates }, seed = SEED) {
  mkdirSync(folder, { recursive: true });
  const { specs } = project.parameterTable(gpt);
  const tensors = specs.map(({ name, shape, offset, decays }) => ({ name, shape, offset, decays }));
  const head = {
    config: gpt,
    options,
    rates,
    tensors,
    batches: batches.map(({ tokens, offsets }) => [offsets.length - 1, tokens.length]),
  };
  writeFileSync(join(folder, 'workload.json'), JSON.stringify(head));
  writeFileSync(join(folder, 'parameters.f32'), project.initialParameters(gpt, seed));
  const parts = batches.flatMap(({ offsets, tokens, targets }) => [offsets, tokens, targets]);
  writeFileSync(join(folder, 'batches.i32'), Buffer.concat(parts.map(bytesOf)));
}

const bytesOf = (array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength);

/** Training of one model in this process, batch after batch. */
export class OwnRun {
  /** @param engine - of the project; @param seed - of the initial parameters */
  constructor(engine, { gpt, batches, options }, seed = SEED) {
    this.model = engine.createModel(gpt, { seed }, 'train');
    this.batches = batches;
    this.options = options;
    this.at = 0;
  }

  step() {
    const result = this.model.trainStep(this.batches[this.at % this.batches.length], this.options);
    if (result.kind !== 'updated') throw new Error(`diverged: ${result.quantity} is ${result.value}`);
    this.at++;
    return result.lossNats;
  }

  steps(n) {
    for (let i = 0; i < n; i++) this.step();
  }

  dispose() {
    this.model.dispose();
  }
}
