/** Configurations that differ in what the formats have to express, and their parameters. Nothing is trained. */
import type { Origin } from '../../../src/checkpoint/exchange/origin.js';
import type { ExchangeFormat } from '../../../src/checkpoint/exchange/formats.js';
import { modelFile } from '../../../src/checkpoint/exchange/publish.js';
import { gptConfigOf } from '../../../src/config/names.js';
import { type DeepPartial, resolveRunConfig } from '../../../src/config/parse.js';
import type { RunConfig } from '../../../src/config/run-config.js';
import { initialParameters } from '../../../src/model/init.js';
import { parameterTable } from '../../../src/model/parameters.js';
import { Rng } from '../../../src/tensor/rng.js';

const SMALL = { dModel: 12, nLayers: 3, nHeads: 1, nCtx: 32 } as const;

/** name and changes; every one has numbers in biases too, so that a lost one shows */
export const VARIANTS: readonly (readonly [name: string, model: DeepPartial<RunConfig['model']>])[] = [
  ['tied, one head', {}],
  ['untied', { tied: false }],
  ['no bias', { bias: false }],
  ['untied, no bias, two heads, relu', { tied: false, bias: false, nHeads: 2, activation: 'relu' }],
  ['shared block', { shareBlocks: true }],
  ['shared block, untied, no bias, three heads', { shareBlocks: true, tied: false, bias: false, nHeads: 3 }],
  ['four heads, odd feed-forward width', { nHeads: 4, dMlp: 31 }],
  ['one layer', { nLayers: 1 }],
  ['no bias at queries, keys and values', { qkvBias: false, nHeads: 2 }],
  ['bias at the head, shared block', { tied: false, unembeddingBias: true, shareBlocks: true }],
  ['as many heads as widths', { nHeads: 12, tied: false }],
];

export function smallConfig(
  model: DeepPartial<RunConfig['model']> = {},
  data: DeepPartial<RunConfig['data']> = {},
): RunConfig {
  return resolveRunConfig({
    data: { tasks: ['MAX', 'SUM'], modulus: 5, ...data },
    model: { ...SMALL, ...model },
    training: { steps: 64 },
  });
}

/** [arenaSize] float32, no two alike but for the gaps */
export function someParameters(config: RunConfig, seed = 1): Float32Array {
  const gpt = gptConfigOf(config);
  const arena = initialParameters(gpt, seed);
  const rng = new Rng(seed, 'test:exchange');
  for (const { offset, size } of parameterTable(gpt).specs) {
    for (let i = offset; i < offset + size; i++) arena[i] += 0.2 * rng.normal();
  }
  return arena;
}

export function originOf(config: RunConfig, parameters: Float32Array, to: ExchangeFormat): Origin {
  const { sha256 } = modelFile(config, parameters);
  return { to, run: 'some-run', step: 64, end: 'budget', weightsSha256: sha256, config };
}
