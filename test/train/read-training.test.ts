import { describe, expect, it } from 'vitest';
import { conditionId, conditionLabel } from '../../src/config/names.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import { createHoldout } from '../../src/listops/sampling/regimes.js';
import type { EvalCell, MetricRow } from '../../src/train/metrics.js';
import { MOST_POINTS, accuracyAtStep, readTraining } from '../../src/train/read-training.js';

const config = resolveRunConfig({ data: { tasks: ['SUM'], regime: 'pairs' } });

const train = (step: number): MetricRow => ({
  kind: 'train',
  step,
  lossNats: 1 / step,
  lossByRole: { result: 2 / step },
  gradNorm: 1,
  learningRate: 1e-3,
});

const cell = (fields: Partial<EvalCell>): EvalCell => ({
  operation: 'SUM',
  arity: 2,
  held: false,
  enumerated: true,
  total: 90,
  multisets: 50,
  correct: 45,
  exact: 45,
  lossNats: 0.7,
  divisors: { '2': 45, '5': 90 },
  ...fields,
});

const evaluation = (step: number): MetricRow => ({
  kind: 'eval',
  step,
  cells: [cell({}), cell({ held: true, total: 10, multisets: 5, correct: 4, divisors: { '2': 4, '5': 10 } })],
});

describe('readTraining', () => {
  it('merges rows of one step into one point, accuracies of trained prompts only', () => {
    const record = readTraining('run', config, [train(1), train(500), evaluation(500)], 'budget');
    expect(record).toMatchObject({
      run: 'run',
      condition: conditionId(config),
      label: conditionLabel(config),
      seed: 1,
      end: 'budget',
    });
    expect(record.parameters).toBeGreaterThan(7000);
    expect(record.points).toHaveLength(2);
    expect(record.points[1]).toEqual({
      step: 500,
      trainLossNats: 1 / 500,
      lossByRole: { result: 2 / 500 },
      accuracy: { SUM: 0.5 },
      divisorAccuracy: { '2': 0.49, '5': 1 },
    });
  });

  it('gives enumerated trained prompts no interval, and a hold-out that of its multisets', () => {
    const { final } = readTraining('run', config, [evaluation(500)], 'budget');
    expect(final[0]).toMatchObject({
      accuracy: 0.5,
      low: 0.5,
      high: 0.5,
      chance: expect.any(Number) as number,
    });
    // Wilson, 2 of 5: the textbook interval
    expect(final[1].low).toBeCloseTo(0.1176, 4);
    expect(final[1].high).toBeCloseTo(0.7693, 4);
    for (const { chance } of final) {
      expect(chance).toBeGreaterThan(0.05);
      expect(chance).toBeLessThan(0.5);
    }
  });

  it('compares trained prompts with the best answer to trained ones, held-out prompts with that to held-out ones', () => {
    const { sets } = createHoldout(config.data);
    const counts = { held: new Array<number>(10).fill(0), trained: new Array<number>(10).fill(0) };
    for (let a = 0; a < 10; a++) {
      for (let b = 0; b < 10; b++) {
        const isHeld = sets.some(([x, y]) => (x === a && y === b) || (x === b && y === a));
        counts[isHeld ? 'held' : 'trained'][(a + b) % 10]++;
      }
    }
    const best = (results: number[]): number =>
      Math.max(...results) / results.reduce((total, count) => total + count, 0);
    const { final } = readTraining('run', config, [evaluation(500)], 'budget');
    expect(final.map(({ held, chance }) => [held, chance])).toEqual([
      [false, best(counts.trained)],
      [true, best(counts.held)],
    ]);
    expect(final[1].chance).toBeGreaterThan(1.5 * final[0].chance);
  });

  it('gives a sample the interval of its size', () => {
    const row: MetricRow = {
      kind: 'eval',
      step: 1,
      cells: [cell({ enumerated: false, total: 4000, correct: 2000 })],
    };
    const [{ low, high }] = readTraining('run', config, [row], 'budget').final;
    expect((high - low) / 2).toBeCloseTo(1.96 * Math.sqrt(0.25 / 4000), 4);
  });

  it('keeps at most 200 points, first and last and every evaluation among them', () => {
    const rows: MetricRow[] = [train(1)];
    for (let step = 50; step <= 100_000; step += 50) {
      rows.push(train(step));
      if (step % 2000 === 0) rows.push(evaluation(step));
    }
    const { points } = readTraining('run', config, rows, 'running');
    expect(points.length).toBeLessThanOrEqual(MOST_POINTS);
    expect(points.length).toBeGreaterThan(100);
    expect([points[0].step, points.at(-1)?.step]).toEqual([1, 100_000]);
    expect(points.filter((point) => point.accuracy !== undefined)).toHaveLength(50);
    const steps = points.map((point) => point.step);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
  });

  it('ends the loss curve of a diverged run with the name of the number', () => {
    const rows: MetricRow[] = [train(1), { kind: 'diverged', step: 2, quantity: 'loss', value: 'NaN' }];
    const record = readTraining('run', config, rows, 'diverged');
    expect(record.points.at(-1)).toEqual({ step: 2, trainLossNats: 'NaN' });
    expect(record.final).toEqual([]);
  });
});

describe('accuracyAtStep', () => {
  it('finds the evaluation of exactly that step', () => {
    expect(accuracyAtStep([evaluation(500), evaluation(1000)], 1000)).toEqual({ SUM: 0.5 });
    expect(accuracyAtStep([evaluation(500)], 400)).toBeUndefined();
  });
});
