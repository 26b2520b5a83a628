/**
 * The lens on two reference checkpoints against what TransformerLens computed for them in float64: fixtures written by
 * `python3 test/pytorch/transformer_lens_check.py <dump> --fixtures test/lens/fixtures/transformer-lens.json`. Every
 * exported model is compared by `npm run test:pytorch`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/io/package-root.js';
import type { AttributionOptions } from '../../src/lens/attribution.js';
import type { Attributed } from '../../src/lens/lens.js';
import { type PatchCell, type PromptPair, headCells, positionCells } from '../../src/lens/patch.js';
import type { Path } from '../../src/lens/path.js';
import { logitsAt, rowOf } from '../../src/lens/run.js';
import { type OpenedModel, openModel } from '../../src/workflows/library.js';
import { distance } from './setup.js';

/** float32 forward passes against float64 ones, as in the conformance of the engines */
const CLOSE = 1e-4;

interface Fixture {
  readonly checkpoint: string;
  readonly clean: readonly number[];
  readonly corrupted: readonly number[];
  readonly answers: readonly [number, number];
  readonly stages: readonly string[];
  readonly paths: readonly Path[];
  readonly theirs: {
    readonly logits: readonly number[];
    readonly logitLens: readonly number[];
    readonly attribution: Readonly<Record<'answer' | 'neurons' | 'difference', readonly number[]>>;
    readonly totals: Readonly<Record<'answer' | 'neurons' | 'difference', readonly [number]>>;
    readonly patterns: readonly number[];
    readonly metric: readonly number[];
    readonly patch: Readonly<
      Record<'resid_pre' | 'resid_mid' | 'attn_out' | 'mlp_out' | 'heads', readonly number[]>
    >;
    readonly paths: readonly number[];
  };
}

const { cases } = JSON.parse(
  readFileSync(join(packageRoot(), 'test', 'lens', 'fixtures', 'transformer-lens.json'), 'utf8'),
) as { readonly cases: readonly Fixture[] };

it('has a fixture for SUM alone and one for it in company', () => {
  expect(cases.map(({ checkpoint }) => checkpoint.split('-d16')[0])).toEqual([
    'max-med-sum-pairs',
    'sum-pairs',
  ]);
});

describe.each(cases.map((own) => [own.checkpoint, own] as const))('%s', (checkpoint, own) => {
  const { theirs, answers } = own;
  let model: OpenedModel;
  let pair: PromptPair;
  beforeAll(async () => {
    model = await openModel(join(packageRoot(), 'checkpoints', 'reference', checkpoint));
    pair = { clean: model.prompt(own.clean), corrupted: model.prompt(own.corrupted) };
  });
  afterAll(() => model.dispose());

  it('logits and logit lens of every stage and position', () => {
    const run = model.run(pair.clean);
    expect(distance(logitsAt(run, rowOf(run)), theirs.logits)).toBeLessThan(CLOSE);
    const { stages, logits } = model.logitLens(run);
    expect(stages).toEqual(own.stages);
    const all = logits.flatMap((rows) => rows.flatMap((row) => [...row]));
    expect(distance(all, theirs.logitLens)).toBeLessThan(CLOSE);
  });

  it.each<['answer' | 'neurons' | 'difference', Attributed & AttributionOptions]>([
    ['answer', {}],
    ['neurons', { neurons: true }],
    [
      'difference',
      {
        position: -2,
        of: new Map([
          [answers[0], 1],
          [answers[1], -1],
        ]),
      },
    ],
  ])('direct attribution of every part: %s; the parts sum to the logit', (kind, options) => {
    const { values, total } = model.attribution(model.run(pair.clean), options);
    expect(distance(values[0], theirs.attribution[kind])).toBeLessThan(CLOSE);
    expect(distance(total, theirs.totals[kind])).toBeLessThan(CLOSE);
    expect(
      distance(
        [theirs.attribution[kind].reduce((sum, value) => sum + value)],
        [values[0].reduce((sum, value) => sum + value)],
      ),
    ).toBeLessThan(CLOSE);
  });

  it('attention patterns', () => {
    const found = model.patterns(model.run(pair.clean)).flatMap(({ weights }) => [...weights]);
    expect(distance(found, theirs.patterns)).toBeLessThan(CLOSE);
  });

  it('activation patching by layer and position, and by head', () => {
    const { config } = model.model;
    const length = own.clean.length;
    const values = (cells: readonly PatchCell[]): number[] =>
      model.patch(pair, cells).values.map(([value]) => value);
    for (const name of ['resid_pre', 'resid_mid', 'attn_out', 'mlp_out'] as const) {
      const found = values(positionCells(config, name, length));
      expect(distance(found, theirs.patch[name]), name).toBeLessThan(CLOSE);
      expect(new Set(found.map((value) => value.toFixed(3))).size, name).toBeGreaterThan(3);
    }
    expect(distance(values(headCells(config)), theirs.patch.heads)).toBeLessThan(CLOSE);
  });

  it('path patching', () => {
    const { values, clean, corrupted } = model.patchPaths(pair, own.paths);
    expect(distance([clean[0], corrupted[0]], theirs.metric)).toBeLessThan(CLOSE);
    expect(
      distance(
        values.map(([value]) => value),
        theirs.paths,
      ),
    ).toBeLessThan(CLOSE);
  });
});
