import { describe, expect, it } from 'vitest';
import { findPlan } from '../../../../src/workflows/sweep/bundled.js';
import { chooseValue } from '../../../../src/workflows/sweep/plan/choose.js';
import { expandPlan, type SweepRun } from '../../../../src/workflows/sweep/plan/expand.js';
import { parsePlan } from '../../../../src/workflows/sweep/plan/plan.js';
import type { ResultLine } from '../../../../src/workflows/sweep/results/result-line.js';
import { resultFor, TINY_PLAN } from '../tiny.js';

const CHOICE = { field: 'model.embeddingInit', operation: 'SUM' };
const runs = expandPlan(findPlan('depth-2-start'));

/** Results in which right answers of 100 inside nested expressions are as given. */
function results(right: (start: number, run: SweepRun) => number): Map<string, ResultLine> {
  return new Map(
    runs.map((run): [string, ResultLine] => {
      const inside: [number, number] = [right(run.config.model.embeddingInit ?? 0, run), 100];
      const whole: [number, number] = [100, 100];
      return [
        run.id,
        {
          ...resultFor(run),
          evaluations: [15_000, 16_000].map((step) => ({
            step,
            trained: { SUM: whole },
            inside: { SUM: inside },
            chains: whole,
            lossNats: {},
          })),
        },
      ];
    }),
  );
}

describe('the plan depth-2-start', () => {
  it('has two seeds outside of every other plan at two widths for each start, and names what it chooses', () => {
    const paper = expandPlan(findPlan('paper', 'paper'));
    const seeds = new Set(paper.map(({ config }) => config.seed));
    expect(runs).toHaveLength(3 * 2 * 2);
    expect(runs.filter(({ config }) => seeds.has(config.seed))).toEqual([]);
    expect(findPlan('depth-2-start').choose).toEqual(CHOICE);
    // but for seed, start and budget they are runs of the plan paper
    const shared = ({ config }: SweepRun): string =>
      JSON.stringify([
        { ...config.data, holdoutSeed: 0 },
        { ...config.model, embeddingInit: 0 },
        config.optimizer,
      ]);
    const there = new Set(paper.map(shared));
    expect(runs.every((run) => there.has(shared(run)))).toBe(true);
  }, 60_000);

  it('chooses the start from which most runs learned', () => {
    const found = chooseValue(
      CHOICE,
      runs,
      results((start) => (start === 0.25 ? 99 : 60)),
    );
    expect(found.value).toBe('0.25');
    expect(found.candidates.map(({ learned }) => learned)).toEqual([0, 4, 0]);
  });

  it('takes the greatest mean accuracy of equals, and the smallest start of equals in that too', () => {
    expect(
      chooseValue(
        CHOICE,
        runs,
        results((start) => (start === 0.5 ? 70 : 60)),
      ).value,
    ).toBe('0.5');
    expect(
      chooseValue(
        CHOICE,
        runs,
        results(() => 50),
      ).value,
    ).toBe('0.1');
    // how often it was learned counts first
    const few = results((start, { config }) =>
      start === 0.1 && config.seed === 91 ? 96 : start === 0.5 ? 94 : 0,
    );
    expect(chooseValue(CHOICE, runs, few).value).toBe('0.1');
  });

  it('chooses nothing while a run is missing', () => {
    const some = results(() => 99);
    some.delete(runs[0].id);
    expect(chooseValue(CHOICE, runs, some).value).toBeUndefined();
  });
});

describe('choose of a plan', () => {
  it.each([
    ['choose: model.dModel', 'choose: found "model.dModel", expected an axis and an operation'],
    [
      'choose: { field: model.nLayers, operation: SUM }',
      'choose.field: found "model.nLayers", expected one of model.dModel',
    ],
    ['choose: { field: model.dModel, operation: ADD }', 'choose.operation: found "ADD", expected one of'],
    ['choose: { field: model.dModel, operation: SUM, by: x }', 'choose.by: unknown field'],
  ])('refuses %s', (text, message) => {
    expect(() => parsePlan(`${TINY_PLAN}${text}\n`, 'p.yaml')).toThrow(message);
  });
});
