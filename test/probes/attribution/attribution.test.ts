/** Direct attribution on models whose writes are known in closed form, and against the float64 reference. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attribution } from '../../../probes/attribution/index.js';
import { feedForwardShare } from '../../../probes/attribution/statistics.js';
import { resultPrompts } from '../../../probes/result-prompts.js';
import { DEFAULT_RUN } from '../../../src/config/defaults.js';
import { gptConfigOf } from '../../../src/config/gpt-config-of.js';
import type { Engine } from '../../../src/engine/engine.js';
import { vocabularyOf } from '../../../src/listops/language/tokenizer.js';
import { LAYER_NORM_EPS } from '../../../src/model/gpt-config.js';
import { initialParameters } from '../../../src/model/init.js';
import {
  parameterTable,
  parameterView,
  UNEMBEDDING,
  TOKEN_EMBEDDING,
} from '../../../src/model/parameters.js';
import { Rng } from '../../../src/tensor/rng.js';
import { referenceActivations, strongWeights } from '../../lens/setup.js';
import { plantedScribe, SCRIBE_MARGIN } from '../../helpers/planted-scribe.js';
import { testEngine } from '../../helpers/measure-ablation.js';
import { measureModule } from '../../helpers/measure-module.js';
import {
  PLANTED,
  layerNormSd,
  logitPerUnit,
  plantedCopier,
  plantedPairTable,
} from '../../helpers/planted-models.js';

const { G } = PLANTED;
let engine: Engine;
beforeAll(async () => (engine = await testEngine()));
afterAll(() => engine.dispose());

/** Of ten numbers one stands `gap` above the others: that far, less a tenth of it, above their mean. */
const margin = (gap: number): number => 0.9 * gap;

describe('attention that copies the first operand', () => {
  it('writes the whole margin, every other part nothing', async () => {
    const planted = plantedCopier();
    const found = await measureModule(engine, attribution, planted);
    const expected = margin(G / layerNormSd(planted.gpt.dModel, 2 + G, 2 + G * G));
    expect(found.row('margin', { operation: 'FIRST' }).value).toBeCloseTo(expected, 5);
    expect(found.row('contribution', { operation: 'FIRST', part: 'attention', layer: 0 }).value).toBeCloseTo(
      expected,
      5,
    );
    for (const scope of [
      { part: 'embedding' },
      { part: 'position' },
      { part: 'feed-forward', layer: 0 },
      { part: 'biases' },
    ]) {
      expect(found.row('contribution', { operation: 'FIRST', ...scope }).value).toBeCloseTo(0, 6);
    }
    expect(found.row('share', { operation: 'FIRST', part: 'attention', layer: 0 }).value).toBeCloseTo(1, 5);
    expect(found.row('feed-forward-share', { operation: 'FIRST' }).value).toBeCloseTo(0, 6);
    expect(found.row('sum-error', { operation: 'FIRST' }).value).toBeLessThan(1e-5);
    expect(found.pictures.map(({ id }) => id)).toEqual([
      'attribution-parts',
      'attribution-roles',
      'attribution-map',
    ]);
  });
});

describe('a table of pairs in the feed-forward layer', () => {
  it('writes the whole margin there, though attention is needed for it', async () => {
    const planted = plantedPairTable();
    const found = await measureModule(engine, attribution, planted);
    const gapOf = (rest: { sum: number; squares: number }): number =>
      G * logitPerUnit(planted.gpt.dModel, rest, [G]);
    const expected = margin(0.9 * gapOf(planted.differentOperands) + 0.1 * gapOf(planted.sameOperands));
    const scope = { operation: 'SUM', part: 'feed-forward', layer: 0 };
    expect(found.row('contribution', scope).value).toBeCloseTo(expected, 4);
    expect(found.row('contribution', { operation: 'SUM', part: 'attention', layer: 0 }).value).toBeCloseTo(
      0,
      6,
    );
    expect(found.row('feed-forward-share', { operation: 'SUM' }).value).toBeCloseTo(1, 6);
  });
});

describe('a model that copies by attention, punctuates by feed-forward and knows no result', () => {
  it('has a share of each role for what writes it, and none of results', async () => {
    const found = await measureModule(engine, attribution, plantedScribe(), { promptsPerTemplate: 30 });
    const margins = (['result', 'copy', 'format'] as const).map(
      (role) => found.row('role-margin', { operation: 'SUM', role }).value,
    );
    expect(margins[0]).toBeCloseTo(0, 5);
    expect(margins[1]).toBeCloseTo(SCRIBE_MARGIN, 5);
    expect(margins[2]).toBeCloseTo(SCRIBE_MARGIN, 5);
    const shares = (role: string): number[] =>
      found.rows('role-share', { operation: 'SUM', role }).map(({ value }) => value);
    const parts = found.rows('role-share', { role: 'copy' }).map(({ scope }) => scope.part);
    expect(parts).toEqual(['embedding', 'position', 'attention', 'feed-forward', 'biases']);
    expect(shares('result')).toEqual([]);
    shares('copy').forEach((share, i) => expect(share).toBeCloseTo(Number(parts[i] === 'attention'), 5));
    shares('format').forEach((share, i) => expect(share).toBeCloseTo(Number(parts[i] === 'feed-forward'), 5));
    const feedForward = found.rows('role-feed-forward-share');
    expect(feedForward.map(({ scope }) => scope.role)).toEqual(['copy', 'format']);
    expect(feedForward[0].value).toBeCloseTo(0, 5);
    expect(feedForward[1].value).toBeCloseTo(1, 5);
    // a flat template and two nested ones of 30 prompts: 1, 2 and 2 results; 2 copies each of the nested; 1, 4 and 4 others
    expect(found.rows('role-margin').map(({ examples }) => examples)).toEqual([150, 120, 270]);
    for (const { value } of found.rows('sum-error')) expect(value).toBeLessThan(1e-5);
  });
});

describe('an untrained model', () => {
  it('has no margin to share out, and is its own control', async () => {
    const config = { ...DEFAULT_RUN, data: { ...DEFAULT_RUN.data, tasks: ['SUM', 'MAX'] as const } };
    const gpt = gptConfigOf(config);
    const untrained = { config, gpt, parameters: initialParameters(gpt, config.seed) };
    const found = await measureModule(engine, attribution, untrained, { promptsPerTemplate: 40 });
    const shares = ['share', 'feed-forward-share', 'role-share', 'role-feed-forward-share'];
    expect(shares.flatMap((id) => found.rows(id))).toEqual([]);
    // of one reduction nothing is carried over
    expect(found.rows('role-margin').map(({ scope }) => `${scope.operation} ${scope.role}`)).toEqual([
      'SUM result',
      'SUM format',
      'MAX result',
      'MAX format',
    ]);
    for (const id of ['contribution', 'role-contribution']) {
      const rows = found.rows(id);
      expect(rows.length).toBeGreaterThan(0);
      for (const { value, control } of rows) expect(value).toBe(control);
    }
    for (const id of ['margin', 'role-margin']) {
      for (const { value } of found.rows(id)) expect(Math.abs(value)).toBeLessThan(0.1);
    }
  });
});

it('has the numbers of the float64 reference: each write, centred, scaled and read; heads ranked on the first operation', async () => {
  const config = {
    ...DEFAULT_RUN,
    data: { ...DEFAULT_RUN.data, tasks: ['SUM', 'MED'] as const, regime: 'full' as const },
    model: { ...DEFAULT_RUN.model, bias: true, nHeads: 2 },
  };
  const gpt = gptConfigOf(config);
  const parameters = strongWeights(gpt);
  const found = await measureModule(
    engine,
    attribution,
    { config, gpt, parameters },
    { promptsPerTemplate: 10 },
  );
  const model = engine.createModel(gpt, { parameters }, 'inference');
  const rng = (index = 0): Rng => new Rng(config.seed, 'probe:attribution', index);
  const asked = resultPrompts({ config }, 10, { model, rng });
  model.dispose();
  const { firstNumber, modulus } = vocabularyOf(config.data);
  const table = parameterTable(gpt);
  const C = gpt.dModel;
  const weight = parameterView(table, parameters, 'transformer.ln_f.weight');
  const u = parameterView(table, parameters, gpt.tied ? TOKEN_EMBEDDING : UNEMBEDDING);
  asked.forEach(({ operation, prompts, results }) => {
    const activations = referenceActivations({ gpt, parameters }, prompts);
    /** mean over prompts of what the rows of `name`, less a bias, add */
    const read = (name: string, biasName?: string): number => {
      const x = activations.get(name) ?? new Float64Array();
      const final = activations.get(`blocks.${gpt.nLayers - 1}.resid_post`) ?? new Float64Array();
      const bias = biasName === undefined ? undefined : parameterView(table, parameters, biasName);
      let end = 0;
      let total = 0;
      prompts.forEach(({ tokens }, p) => {
        end += tokens.length;
        const rowOf = (from: Float64Array): number[] => [...from.subarray((end - 1) * C, end * C)];
        const centre = (row: number[]): number[] => row.map((v) => v - row.reduce((a, b) => a + b) / C);
        const stream = centre(rowOf(final));
        const sd = Math.sqrt(stream.reduce((a, v) => a + v * v, 0) / C + LAYER_NORM_EPS);
        const write = centre(rowOf(x).map((v, c) => v - (bias?.[c] ?? 0)));
        const logits = Array.from({ length: modulus }, (_, number) =>
          write.reduce((a, v, c) => a + ((v * weight[c]) / sd) * u[(firstNumber + number) * C + c], 0),
        );
        total += logits[results[p]] - logits.reduce((a, b) => a + b) / modulus;
      });
      return total / prompts.length;
    };
    const row = (part: string, layer?: number): number =>
      found.row('contribution', { operation, part, ...(layer === undefined ? {} : { layer }) }).value;
    expect(row('embedding')).toBeCloseTo(read('embed'), 4);
    expect(row('position')).toBeCloseTo(read('pos_embed'), 4);
    for (let layer = 0; layer < gpt.nLayers; layer++) {
      const block = `transformer.h.${layer}`;
      expect(row('attention', layer)).toBeCloseTo(
        read(`blocks.${layer}.attn_out`, `${block}.attn.c_proj.bias`),
        4,
      );
      expect(row('feed-forward', layer)).toBeCloseTo(
        read(`blocks.${layer}.mlp_out`, `${block}.mlp.c_proj.bias`),
        4,
      );
      const heads = [row('head of rank 1', layer), row('head of rank 2', layer)];
      expect(heads[0] + heads[1]).toBeCloseTo(row('attention', layer), 6);
      if (operation === asked[0].operation) expect(heads[0]).toBeGreaterThan(heads[1]);
    }
    expect(found.row('sum-error', { operation }).value).toBeLessThan(1e-4);
  });
});

it('the direct share counts a sum against the result as nothing, and needs a margin', () => {
  const made = {
    margin: 2,
    embedding: 0,
    position: 0,
    biases: 0,
    sumError: 0,
    heads: [[1, -0.5], [0.5]],
    feedForward: [2, 1],
  };
  expect(feedForwardShare(made)).toBe(0.75);
  expect(feedForwardShare({ ...made, heads: [[-1], [0.5]] })).toBe(1);
  expect(feedForwardShare({ ...made, feedForward: [-3, 1] })).toBe(0);
  expect(feedForwardShare({ ...made, margin: 0.9 })).toBeUndefined();
});
