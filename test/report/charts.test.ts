import { describe, expect, it } from 'vitest';
import {
  chart,
  conditionColor,
  countRows,
  emptySpec,
  finite,
  inlineData,
  logarithmic,
  nominal,
  percent,
  quantitative,
  readable,
  referenceLine,
  smallMultiples,
  type Row,
  type Spec,
} from '../../src/report/charts/common.js';
import { REPORT_CHARTS } from '../../src/report/charts/index.js';
import { accuracyCurves, divisorCurves, lossCurves } from '../../src/report/charts/training-curves.js';
import type { TrainingRecord } from '../../src/report/schema.js';
import { compileWarnings } from './compile.js';
import { exampleReport } from './example-report.js';

const { training } = exampleReport({ seeds: 3, points: 12 });
const one: TrainingRecord = {
  ...training[0],
  points: [{ step: 0, accuracy: { SUM: 0.1 } }],
  final: training[0].final.slice(0, 1),
};
const allNaN: TrainingRecord = {
  ...training[0],
  points: [1, 2, 3].map((step) => ({ step, trainLossNats: 'NaN', lossByRole: { result: 'Infinity' } })),
  final: [],
};

const valuesOf = (spec: Spec) => (spec.data as { values: Row[] }).values;

describe('REPORT_CHARTS', () => {
  const cases: Readonly<Record<string, readonly TrainingRecord[]>> = {
    'several conditions': training,
    'no run': [],
    'one run with one point': [one],
    'only non-finite numbers': [allNaN],
    'a run without points': [{ ...one, points: [], final: [] }],
  };
  for (const [name, records] of Object.entries(cases)) {
    it(`compile without a warning for ${name}`, () => {
      for (const build of REPORT_CHARTS) {
        const { spec, id } = build(records);
        expect(compileWarnings(spec), id).toEqual([]);
        expect(spec.description, id).toEqual(expect.any(String));
      }
    });
  }

  it('do not depend on the order of the runs', () => {
    const reversed = [...training].reverse();
    for (const build of REPORT_CHARTS)
      expect(JSON.stringify(build(reversed))).toBe(JSON.stringify(build(training)));
  });
});

describe('accuracyCurves', () => {
  it('draws the median of the seeds of a condition and the chance of the operation', () => {
    const runs = [0.2, 0.9, 0.4].map((value, i) => ({
      ...one,
      run: `r${i}`,
      seed: i,
      points: [{ step: 100, accuracy: { SUM: value } }],
      final: [
        { ...one.final[0], operation: 'SUM', held: false, total: 100, chance: 0.1 },
        { ...one.final[0], operation: 'SUM', held: false, total: 300, chance: 0.2 },
      ],
    }));
    const rows = valuesOf(accuracyCurves(runs).spec);
    expect(rows.filter(({ kind }) => kind === 'median')).toMatchObject([{ step: 100, value: 0.4 }]);
    expect(rows.filter(({ kind }) => kind === 'reference')).toMatchObject([{ panel: 'SUM', value: 0.175 }]);
  });

  it('keeps the first and last of many points and at most 100 of them', () => {
    const points = Array.from({ length: 5000 }, (_, step) => ({ step, accuracy: { SUM: 0.5 } }));
    const steps = valuesOf(accuracyCurves([{ ...one, points }]).spec)
      .filter(({ kind }) => kind === 'seed')
      .map(({ step }) => step);
    expect(steps).toHaveLength(100);
    expect([steps[0], steps.at(-1)]).toEqual([0, 4999]);
  });
});

describe('lossCurves', () => {
  it('leaves out non-finite losses and says so when nothing is left', () => {
    const made = lossCurves([allNaN]);
    expect(made.summary).toBe('No loss was recorded.');
    expect(JSON.stringify(made.spec)).toContain('No subject to show');
  });
});

describe('divisorCurves', () => {
  it('orders divisors by size, leaves 1 out, and draws a uniform guess', () => {
    const record = { ...one, points: [{ step: 1, divisorAccuracy: { 1: 1, 10: 0.1, 5: 0.2, 2: 0.5 } }] };
    const rows = valuesOf(divisorCurves([record]).spec);
    expect(rows.filter(({ kind }) => kind === 'reference').map(({ panel, value }) => [panel, value])).toEqual(
      [
        ['SUM mod 2', 0.5],
        ['SUM mod 5', 0.2],
        ['SUM mod 10', 0.1],
      ],
    );
  });
});

describe('building blocks', () => {
  const rows: Row[] = [
    { c: 'a', condition: 'S', estimate: 1, low: 0.5, high: 2 },
    { c: 'b', condition: 'M', estimate: 1, low: null, high: null },
  ];
  const points: Spec = {
    data: inlineData(rows),
    layer: [
      ...referenceLine('x', 0.5, 'chance'),
      {
        data: inlineData(rows.slice(0, 1)),
        mark: 'point',
        encoding: {
          x: quantitative('estimate', 'Share (1)'),
          y: nominal('c', 'Component'),
          color: conditionColor(['S', 'M']),
        },
      },
    ],
  };
  const specs: Readonly<Record<string, Spec>> = {
    'points beside a reference line': points,
    'small multiples of points': smallMultiples(rows, 'condition', points, { independent: ['x'] }),
    'empty chart': emptySpec('nothing'),
    'logarithmic axis': {
      data: inlineData([{ a: 1, b: 2, condition: 'S' }]),
      mark: 'point',
      encoding: {
        x: logarithmic('a', 'Step', [1, 1]),
        y: quantitative('b', 'B'),
        color: conditionColor(['S']),
      },
    },
  };
  for (const [name, spec] of Object.entries(specs)) {
    it(`compile without a warning: ${name}`, () => {
      expect(compileWarnings(spec, ['S', 'M'])).toEqual([]);
    });
  }

  it('count rows of every nested view, but not domains', () => {
    expect(countRows(points)).toBe(2 + 1 + 2);
    expect(countRows({ mark: { type: 'point', values: [1] } })).toBe(0);
  });

  it('turn what cannot be drawn into null', () => {
    expect([NaN, Infinity, 'NaN', undefined, null, 0].map(finite)).toEqual([null, null, null, null, null, 0]);
    expect(inlineData([{ a: NaN, b: 'x' }])).toEqual({ values: [{ a: null, b: 'x' }] });
  });

  it('write numbers the same everywhere', () => {
    expect([0.12345, -0, 1234567, NaN, 'Infinity', undefined].map((v) => readable(v))).toEqual([
      '0.123',
      '0',
      '1230000',
      'NaN',
      'Infinity',
      'not computed',
    ]);
    expect([0.98765, 'NaN', null].map((v) => percent(v))).toEqual(['98.8 %', 'NaN', 'not computed']);
  });

  it('have an axis below each picture where the last row of a grid is not full, and below the last row where it is', () => {
    const axesOf = (panels: number): unknown => {
      const many = Array.from({ length: panels }, (_, i) => ({ condition: String(i), x: i, y: i }));
      const { resolve } = smallMultiples(many, 'condition', points, { columns: 3 });
      return (resolve as Spec | undefined)?.axis;
    };
    expect([1, 2, 3, 6].map(axesOf)).toEqual([undefined, undefined, undefined, undefined]);
    expect([4, 5, 7].map(axesOf)).toEqual(Array.from({ length: 3 }, () => ({ x: 'independent' })));
  });

  it('refuse a chart id that is not kebab-case', () => {
    const table = { columns: [], rows: [] };
    const made = () => chart({ id: 'A b', title: '', subtitle: '', summary: '', spec: {}, table });
    expect(made).toThrow('chart id "A b" is not kebab-case');
  });
});
