/** SUM beside company against SUM alone, on made-up evaluation rows. */
import { describe, expect, it } from 'vitest';
import { learning } from '../../../probes/learning.js';
import { decideClaims } from '../../../src/evidence/decide.js';
import { evidenceOf } from '../../../src/evidence/evidence.js';
import { VERDICT } from '../../../src/evidence/verdict.js';
import type { OperationName } from '../../../src/listops/language/operations.js';
import type { EvalRow } from '../../../src/train/metrics.js';
import { lastTwoAtStep } from '../../../src/train/read-training.js';
import { combineMeasurements } from '../../../src/workflows/probing/combine-measurements.js';
import { madeConfig, madeSubject } from '../../helpers/made-subject.js';

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
) {
  const { dModel = 16, steps = 8000 } = more;
  const made = { tasks, seed, dModel, steps, regime: 'full', parameters: dModel * 500 } as const;
  const rows = accuracies.map((accuracy, i) =>
    evaluation(((i + 1) * steps) / accuracies.length, 'SUM', accuracy),
  );
  const config = madeConfig(made);
  const learned = lastTwoAtStep(rows, steps, config);
  const subject = { ...madeSubject(made), ...(learned === undefined ? {} : { learned }) };
  return { subject, config, measurement: learning.measure({ subject, config, rows }) };
}

const together = (runs: readonly ReturnType<typeof run>[]) => {
  const { observations, further } = combineMeasurements(learning, {}, runs);
  const subjects = runs.map(({ subject }) => subject);
  return { findings: further, claims: decideClaims(evidenceOf(subjects, observations, new Map())) };
};

const JOINT = ['MAX', 'MED', 'SUM'] as const;
const six = [1, 2, 3, 4, 5, 6];

describe('learning', () => {
  it('compares the proportion of seeds that learned SUM, with exact p', () => {
    const runs = [
      ...six.map((seed) => run(JOINT, seed, [1, 1])),
      ...six.map((seed) => run(['SUM'], seed, [0.1, 0.1])),
    ];
    const finding = together(runs).findings.find(({ id }) => id === 'sum-beside-max+med+sum');
    expect(finding?.estimate).toBe(1);
    // 2 of the 924 ways to deal six successes to two groups of six are as extreme
    expect(finding?.p).toBeCloseTo(2 / 924, 11);
    expect(finding?.interval?.low).toBeGreaterThan(0);
  });

  it('compares within equal settings only', () => {
    const runs = [
      ...six.map((seed) => run(JOINT, seed, [1, 1], { steps: 16_000 })),
      ...six.map((seed) => run(['SUM'], seed, [0.1, 0.1], { steps: 8000 })),
    ];
    expect(together(runs).findings).toEqual([]);
  });

  it('says too few runs with one size, and decides when sizes and seeds suffice', () => {
    const sizes = [6, 8, 12, 16, 24, 32];
    const one = together(six.map((seed) => run(['SUM'], seed, [1, 1])));
    const many = together(
      sizes.flatMap((dModel) =>
        six.flatMap((seed) => [run(JOINT, seed, [1, 1], { dModel }), run(['SUM'], seed, [0, 0], { dModel })]),
      ),
    );
    const [few, enough] = [one, many].map((module) => module.claims.find(({ part }) => part === 'C2a'));
    expect(few?.verdict).toBe(VERDICT.tooFew);
    expect(few?.reason).toContain('0 of at least 6 model sizes');
    expect(enough?.verdict).toBe(VERDICT.supported);
  });
});
