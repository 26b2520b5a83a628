/** Every mark compiles without a word from Vega-Lite: with much, with one row, with nothing, and with many conditions. */
import { parse, View } from 'vega';
import { compile } from 'vega-lite';
import { describe, expect, it } from 'vitest';
import { type Evidence, evidenceOf } from '../../src/evidence/evidence.js';
import type { StatisticInfo } from '../../src/evidence/statistic.js';
import { seriesOf } from '../../src/evidence/series.js';
import { differencesOf, summariesOf } from '../../src/evidence/summaries.js';
import type { Row, Spec } from '../../src/report/charts/common.js';
import { forestChart } from '../../src/report/marks/forest.js';
import { type HeatCell, heatMapChart, type HeatMapText } from '../../src/report/marks/heat-map.js';
import { linesChart } from '../../src/report/marks/lines.js';
import { type PointRow, pointRows, pointsChart } from '../../src/report/marks/points.js';
import { seriesChart } from '../../src/report/marks/series.js';
import type { ChartSpec } from '../../src/report/schema.js';
import { themed } from '../../src/report/theme.js';
import { madeSubject, observed } from '../helpers/made-subject.js';
import { compileWarnings } from './compile.js';

const INFO: StatisticInfo = {
  id: 'n',
  title: 'A number',
  formula: 'n',
  unit: '1',
  sentence: 'a number',
  tested: 'own-null',
};
const NULL = { mean: 0, high: 0.2, p: 0.01, midP: 0.01 };
const WIDTHS = [16, 24, 32, 40, 48, 64, 80, 96, 112, 128];

/** Runs at several widths, three seeds each at steps 100 and 16,000, value about 1 / width. */
function made(widths: number, seeds: number, steps: readonly number[] = [100, 16_000]): Evidence {
  const subjects = WIDTHS.slice(0, widths).flatMap((dModel) =>
    Array.from({ length: seeds }, (_, i) => i + 1).flatMap((seed) =>
      steps.map((step) => madeSubject({ dModel, seed, step, final: step === steps[steps.length - 1] })),
    ),
  );
  const rows = subjects.flatMap((subject) =>
    [2, 5].map((divisor) =>
      observed(subject, 'm/n', 16 / subject.design.dModel + subject.seed / 50, {
        scope: { divisor },
        null: NULL,
        control: 0.1,
      }),
    ),
  );
  return evidenceOf(subjects, rows, new Map([['m/n', INFO]]));
}

const TEXT = { id: 'x', title: 'Title', note: 'Note.' };
const MARKS: Readonly<Record<string, (evidence: Evidence) => ChartSpec>> = {
  points: (evidence) =>
    pointsChart(pointRows(summariesOf(evidence, 'm/n')), { ...TEXT, axis: 'Value (1)', category: 'Divisor' }),
  'points of several conditions in a row': (evidence) =>
    pointsChart(
      pointRows(summariesOf(evidence, 'm/n'), { category: ({ scope }) => `${scope.divisor ?? ''}` }),
      {
        ...TEXT,
        axis: 'Share (%)',
        category: 'Divisor',
        share: true,
        reference: 0.5,
      },
    ),
  series: (evidence) => seriesChart(seriesOf(evidence, 'm/n'), [], TEXT),
  'series beside accuracies': (evidence) =>
    seriesChart(
      seriesOf(evidence, 'm/n'),
      evidence.conditions.map(({ label }) => ({
        condition: label,
        operation: 'SUM',
        points: [
          { step: 1, value: 0.1 },
          { step: 9000, value: 1 },
        ],
      })),
      TEXT,
    ),
  'heat map': (evidence) => heatMapChart(cellsOf(evidence), HEAT),
  'heat map, one panel': (evidence) =>
    heatMapChart(
      cellsOf(evidence).map((cell) => ({ ...cell, panel: '', undecided: false })),
      { ...HEAT, diverging: false },
    ),
  lines: (evidence) =>
    linesChart(
      summariesOf(evidence, 'm/n').map((summary) => ({
        panel: 'P',
        x: summary.scope.divisor ?? 1,
        summary,
      })),
      { ...TEXT, x: 'Divisor', y: 'Value', ticks: [2, 5], format: 'd', summary: 'Words.' },
    ),
  forest: (evidence) => forestChart(differencesOf(evidence, 'm/n'), TEXT),
};
const HEAT: HeatMapText = { ...TEXT, x: 'X', y: 'Y', value: 'Value', diverging: true };

function cellsOf(evidence: Evidence): HeatCell[] {
  return summariesOf(evidence, 'm/n').map(({ condition, scope, mean }, i) => ({
    panel: condition.label,
    x: 'x',
    y: String(scope.divisor),
    value: mean,
    undecided: i % 2 === 0,
    ...(i === 0 ? {} : { low: mean - 1, high: mean + 1 }),
  }));
}

const CASES: Readonly<Record<string, Evidence>> = {
  'two conditions': made(2, 3),
  'one run': made(1, 1),
  'ten conditions': made(10, 2),
  'no run': made(0, 0),
};

/** Every row of inline data, however deep. */
function rowsOf(spec: Spec): Row[] {
  const found: Row[] = [];
  JSON.stringify(spec, (key, value: unknown) => {
    if (key === 'values' && Array.isArray(value) && typeof value[0] === 'object')
      found.push(...(value as Row[]));
    return value;
  });
  return found;
}

describe.each(Object.entries(MARKS))('%s', (name, build) => {
  it.each(Object.entries(CASES))('compiles without a warning: %s', (_case, evidence) => {
    const { spec, summary, table } = build(evidence);
    const labels = evidence.conditions.map(({ label }) => label).sort();
    expect(compileWarnings(spec, labels)).toEqual([]);
    expect(summary).not.toBe('');
    for (const row of table.rows) expect(row).toHaveLength(table.columns.length);
    if (evidence.subjects.length === 0) expect(JSON.stringify(spec)).toContain('No subject to show here.');
  });

  it('draws every condition and no number that is not in its data', () => {
    const evidence = CASES['two conditions'];
    const chart = build(evidence);
    const text = JSON.stringify([chart.spec, chart.table]);
    if (name !== 'heat map, one panel')
      for (const { label } of evidence.conditions)
        expect(text, label).toContain(label.slice(label.lastIndexOf('d=')));
    for (const row of rowsOf(chart.spec))
      for (const value of Object.values(row)) expect(Number.isNaN(value)).toBe(false);
  });
});

describe('points', () => {
  const shares = (values: readonly number[]): ChartSpec =>
    pointsChart(
      [
        {
          panel: 'P',
          category: 'C',
          condition: 'C',
          name: 'C',
          values: values.map((value, i) => ({ run: `r${i}`, seed: i, value })),
          mean: values[0],
        },
      ],
      { ...TEXT, axis: 'Share (%)', category: 'K', share: true },
    );
  const domain = ({ spec }: ChartSpec): unknown => /"domain":(\[[^\]]*\])/.exec(JSON.stringify(spec))?.[1];

  it('scale an axis of shares to the data where they take up little of it, and say so', () => {
    const close = shares([0.44, 0.47, 0.52]);
    expect(domain(close)).toBe('[0.4,0.6]');
    expect(close.subtitle).toContain('The axis runs from 40 % to 60 %.');
    const wide = shares([0.1, 0.5, 1]);
    expect(domain(wide)).toBe('[0,1]');
    expect(wide.subtitle).not.toContain('The axis');
    expect(domain(shares([0, 0, 0]))).toBe('[0,1]');
  });
});

describe('the table below a picture', () => {
  /** Cells of a column by its name. */
  const column = ({ table }: ChartSpec, name: string): (string | number)[] => {
    const at = table.columns.indexOf(name);
    expect(at, `${name} in ${table.columns.join('; ')}`).toBeGreaterThanOrEqual(0);
    return table.rows.map((row) => row[at]);
  };
  const point: PointRow = {
    panel: 'Seen',
    category: 'SUM, d=16',
    condition: 'SUM, d=16',
    name: 'SUM, d=16',
    values: [
      { run: 'r1', seed: 1, value: 0.25 },
      { run: 'r2', seed: 2, value: 0.75 },
    ],
    mean: 0.5,
  };

  it('has the numbers of the axis, per cent where that has', () => {
    const text = { ...TEXT, axis: 'Accuracy (%)', category: 'Condition' };
    expect(column(pointsChart([point], { ...text, share: true }), 'Accuracy (%)')).toEqual([
      '25.00 %',
      '75.00 %',
    ]);
    expect(column(pointsChart([point], { ...text, axis: 'Value' }), 'Value')).toEqual(['0.25', '0.75']);
    const cell = { panel: '', x: '1', y: 'SUM', value: 1 };
    const strip = heatMapChart([cell], { ...HEAT, value: 'Accuracy (%)', format: '.0%' });
    expect(column(strip, 'Accuracy (%)')).toEqual(['100.00 %']);
    const [summary] = summariesOf(CASES['one run'], 'm/n');
    const dose = linesChart([{ panel: 'P', x: 0.0625, summary }], {
      ...TEXT,
      x: 'Share (%)',
      y: 'Accuracy (%)',
      ticks: [0.0625],
      format: '.2~p',
      share: true,
      summary: 'Words.',
    });
    expect(column(dose, 'Share (%)')).toEqual(['6.25 %']);
  });

  it('has no column twice and none without a value', () => {
    const text = { ...TEXT, axis: 'Value', category: 'Condition' };
    expect(pointsChart([point], text).table.columns).toEqual(['Panel', 'Condition', 'Seed', 'Value', 'Mean']);
    expect(pointsChart([{ ...point, low: 0.1, high: 0.9 }], text).table.columns.slice(4)).toEqual([
      'Mean',
      'Low',
      'High',
    ]);
    const byFrequency = pointsChart([{ ...point, panel: point.name, category: 'k = 1' }], {
      ...text,
      category: 'Frequency',
    });
    expect(byFrequency.table.columns).toEqual(['Frequency', 'Condition', 'Seed', 'Value', 'Mean']);
    expect(heatMapChart([{ panel: '', x: '1', y: 'SUM', value: 1 }], HEAT).table.columns).toEqual([
      'Y',
      'X',
      'Value',
    ]);
  });

  it('has what lies beyond the colours, which only end there', () => {
    const cells = [-0.3, 0.5].map((value, i) => ({ panel: '', x: String(i), y: 'SUM', value }));
    const chart = heatMapChart(cells, { ...HEAT, diverging: false, domain: [0, 1] });
    expect(column(chart, 'Value')).toEqual(['-0.3', '0.5']);
    expect(rowsOf(chart.spec).map(({ value }) => value)).toEqual([-0.3, 0.5]);
    expect(JSON.stringify(chart.spec)).toContain('"clamp":true');
    expect(compileWarnings(chart.spec)).toEqual([]);
  });
});

describe('the line above points', () => {
  const of = (points: readonly PointRow[], more: { readonly chance?: string } = {}): string =>
    pointsChart(points, { ...TEXT, axis: 'Value', category: 'K', ...more }).subtitle;
  const point = (panel: string, condition: string, more: Partial<PointRow> = {}): PointRow => ({
    ...{ panel, category: 'k = 1', condition, name: condition, mean: 0.5 },
    values: [1, 2].map((seed) => ({ run: `${condition}-${seed}`, seed, value: 0.5 })),
    ...more,
  });

  it('promises an interval where one is drawn, and says what its ticks are', () => {
    expect(of([point('P', 'A', { low: 0, high: 1 })])).toContain('mean with a 95 % interval over seeds.');
    expect(of([point('P', 'A')])).toContain('2 runs, a faint dot each; a large dot the mean.');
    const one = point('P', 'A', { values: [{ run: 'r', seed: 1, value: 0.5 }] });
    expect(of([one])).toContain('one seed a condition: no interval');
    const chance = [point('P', 'A', { chance: 0.4 })];
    expect(of(chance)).toContain('light tick: 95 % of chance lies below');
    expect(of(chance, { chance: '97.5 % of noise lies below' })).not.toContain('95 % of chance');
  });

  it('has a row for each condition only where conditions share one, and names those that have no title', () => {
    const text = (points: readonly PointRow[]): string =>
      JSON.stringify(pointsChart(points, { ...TEXT, axis: 'Value', category: 'K' }).spec);
    const own = text([point('A', 'A'), point('B', 'B')]);
    expect(own).not.toContain('yOffset":{"field"');
    expect(own).not.toContain('"orient":"top"');
    const shared = text([point('P', 'A'), point('P', 'B')]);
    expect(shared).toContain('yOffset":{"field"');
    expect(shared).toContain('"orient":"top"');
    const titled = text([point('P', 'A'), point('Q', 'B')]);
    expect(titled).toContain('"orient":"top"');
  });
});

/** Labels of every axis and legend as they are drawn. */
async function labelsOf({ spec }: ChartSpec): Promise<string[][]> {
  const view = new View(parse(compile(themed(spec, 'light', []) as never).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return [...svg.matchAll(/role-(?:axis|legend)-label"[^>]*>(.*?)<\/g>/gs)].map(([, group]) =>
    [...group.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text),
  );
}

describe('numbers along axes and legends', () => {
  it.each([1e-4, 0.03, 1, 40, 20_000])('are different ones where values are about %d', async (size) => {
    const values = [-0.7, 0.2, 0.45, 1].map((part) => part * size);
    const summary = summariesOf(CASES['one run'], 'm/n')[0];
    const charts = [
      pointsChart(
        values.map((value, i) => ({
          ...{ panel: 'P', category: `c${i}`, condition: 'A', name: 'A', mean: value },
          values: [{ run: `r${i}`, seed: i, value }],
        })),
        { ...TEXT, axis: 'Value', category: 'K' },
      ),
      heatMapChart(
        values.map((value, i) => ({ panel: '', x: `c${i}`, y: 'y', value })),
        HEAT,
      ),
      linesChart(
        values.map((value, i) => ({ panel: 'P', x: 2 ** -i, summary: { ...summary, mean: value } })),
        { ...TEXT, x: 'Dose', y: 'Value', ticks: [0.125, 1], format: '.2~p', summary: 'Words.' },
      ),
    ];
    for (const chart of charts) {
      const labels = await labelsOf(chart);
      expect(labels.length).toBeGreaterThan(1);
      for (const own of labels) expect(new Set(own).size, own.join(', ')).toBe(own.length);
    }
  });
});

describe('heat map', () => {
  it('centres a diverging scale on zero', () => {
    const text = JSON.stringify(MARKS['heat map'](CASES['two conditions']).spec);
    const [low, high] = JSON.parse(/"domain":(\[[^\]]*\])/.exec(text)?.[1] ?? '[]') as number[];
    expect(low).toBe(-high);
    expect(text).toContain('"domainMid":0');
  });
});

describe('forest', () => {
  it('has an even axis unless differences are many spreads wide, and says so', () => {
    expect(JSON.stringify(MARKS.forest(CASES['two conditions']).spec)).not.toContain('symlog');
    const [one] = differencesOf(CASES['two conditions'], 'm/n');
    const wide = JSON.stringify(forestChart([{ ...one, spreads: 600 }, one], TEXT).spec);
    expect(wide).toContain('symlog');
    expect(wide).toContain('logarithmic beyond 1');
    expect(compileWarnings(forestChart([{ ...one, spreads: 600 }, one], TEXT).spec)).toEqual([]);
  });

  it('is ordered by the size of the difference beside the spread, and fills what is decided', () => {
    const chart = MARKS.forest(CASES['two conditions']);
    const rows = rowsOf(chart.spec).filter((row) => 'spreads' in row);
    const sizes = rows.map(({ spreads }) => Math.abs(Number(spreads)));
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    for (const { decided, low, high } of rows) expect(decided).toBe(Number(low) > 0 || Number(high) < 0);
  });
});
