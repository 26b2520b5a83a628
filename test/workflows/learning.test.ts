/** Claims about training outcomes, on made-up evaluation rows. */
import { describe, expect, it } from 'vitest';
import { VERDICT } from '../../src/evidence/verdict.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import type { OperationName } from '../../src/listops/operations.js';
import type { EvalRow } from '../../src/train/metrics.js';
import { learningModule, runLearned } from '../../src/workflows/learning.js';
import type { TrainedRun } from '../../src/workflows/trained-run.js';

function evaluation(step: number, operation: string, accuracy: number): EvalRow {
  const total = 1000;
  const correct = Math.round(accuracy * total);
  const cell = {
    operation,
    arity: 2,
    held: false,
    enumerated: true,
    total,
    multisets: 55,
    correct,
    exact: correct,
  };
  return { kind: 'eval', step, cells: [{ ...cell, lossNats: 0.1, divisors: {} }] };
}

function run(
  tasks: readonly OperationName[],
  seed: number,
  accuracies: readonly number[],
  more: { readonly dModel?: number; readonly steps?: number } = {},
): TrainedRun {
  const { dModel = 16, steps = 8000 } = more;
  const config = resolveRunConfig({ data: { tasks }, model: { dModel }, training: { steps }, seed });
  const rows = accuracies.map((accuracy, i) => evaluation((i + 1) * 500, 'SUM', accuracy));
  return {
    id: `${tasks.join('-')}-${dModel}-${steps}-${seed}`,
    config,
    label: tasks.join('+'),
    parameters: dModel * 500,
    rows,
    ended: true,
  };
}

const JOINT = ['MAX', 'MED', 'SUM'] as const;
const six = [1, 2, 3, 4, 5, 6];

describe('runLearned', () => {
  it('needs 0.95 at the last two evaluations', () => {
    expect(runLearned(run(['SUM'], 1, [0.95, 0.95]), 'SUM')).toBe(true);
    expect(runLearned(run(['SUM'], 1, [0.94, 1]), 'SUM')).toBe(false);
    expect(runLearned(run(['SUM'], 1, [1, 0.94]), 'SUM')).toBe(false);
    expect(runLearned(run(['SUM'], 1, [1]), 'SUM')).toBe(false);
  });
});

describe('learningModule', () => {
  it('compares the proportion of seeds that learned SUM, with exact p', () => {
    const runs = [
      ...six.map((seed) => run(JOINT, seed, [1, 1])),
      ...six.map((seed) => run(['SUM'], seed, [0.1, 0.1])),
    ];
    const finding = learningModule(runs).findings.find(({ id }) => id === 'sum-beside-max+med+sum');
    expect(finding?.estimate).toBe(1);
    // 2 of the 924 ways to deal six successes to two groups of six are as extreme
    expect(finding?.p).toBeCloseTo(2 / 924, 12);
    expect(finding?.interval?.low).toBeGreaterThan(0);
    expect(finding?.verdict).toBeUndefined();
  });

  it('compares within equal settings only', () => {
    const runs = [
      ...six.map((seed) => run(JOINT, seed, [1, 1], { steps: 16_000 })),
      ...six.map((seed) => run(['SUM'], seed, [0.1, 0.1], { steps: 8000 })),
    ];
    expect(learningModule(runs).findings.filter(({ claim }) => claim === undefined)).toEqual([]);
  });

  it('says too few runs with one size, and decides when sizes and seeds suffice', () => {
    const sizes = [6, 8, 12, 16, 24, 32];
    const one = learningModule(six.map((seed) => run(['SUM'], seed, [1, 1])));
    const many = learningModule(
      sizes.flatMap((dModel) =>
        six.flatMap((seed) => [run(JOINT, seed, [1, 1], { dModel }), run(['SUM'], seed, [0, 0], { dModel })]),
      ),
    );
    const [few, enough] = [one, many].map((module) => module.findings.find(({ claim }) => claim === 'C2'));
    expect(few?.verdict).toBe(VERDICT.tooFew);
    expect(few?.reason).toContain('0 of at least 6 model sizes');
    expect(enough?.verdict).toBe(VERDICT.supported);
  });
});
