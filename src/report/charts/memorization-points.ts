/**
 * Numbers of the memorization module as points: one faint dot a run, a mean with its interval, chance as a tick. Panels
 * beside each other, categories down the side. Pure; means and intervals are given.
 */
import type { ChartSpec } from '../schema.js';
import {
  accuracyAxis,
  chart,
  conditionColor,
  distinct,
  finite,
  nominal,
  percent,
  quantitative,
  readable,
  type Row,
  smallMultiples,
} from './common.js';

export interface PlacedPoint {
  readonly panel: string;
  readonly category: string;
  readonly condition: string;
  readonly seed: number;
  readonly value: number;
}

export interface PlacedMean {
  readonly panel: string;
  readonly category: string;
  readonly condition: string;
  readonly estimate: number;
  /** null: no interval */
  readonly low: number | null;
  readonly high: number | null;
}

export interface PlacedChance {
  readonly panel: string;
  readonly category: string;
  readonly condition: string;
  readonly chance: number;
}

export interface PointsData {
  /** labels in the order of the legend */
  readonly conditions: readonly string[];
  readonly points: readonly PlacedPoint[];
  readonly means: readonly PlacedMean[];
  readonly chances: readonly PlacedChance[];
}

export interface PointsText {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly category: string;
  /** title of the axis; default: accuracy in per cent */
  readonly axis?: string;
  /** a number instead of a share of answers */
  readonly plain?: boolean;
  readonly columns?: number;
}

export function pointsChart(
  { conditions: labels, points, means, chances }: PointsData,
  text: PointsText,
): ChartSpec {
  const rows: Row[] = [
    ...chances.map((row) => ({ ...row, kind: 'chance' })),
    ...points.map((row) => ({ ...row, kind: 'run' })),
    ...means.map((row) => ({ ...row, kind: 'mean', low: finite(row.low), high: finite(row.high) })),
  ];
  const panels = distinct(rows, 'panel');
  const categories = [...new Set(means.map(({ category }) => category))];
  const conditions = labels.filter((label) => means.some(({ condition }) => condition === label));
  const runs = new Set(points.map(({ condition, seed }) => `${condition} ${seed}`)).size;
  const show = (value: number): string => (text.plain === true ? readable(value) : percent(value));
  return chart({
    id: text.id,
    title: text.title,
    subtitle: `${runs} ${runs === 1 ? 'run' : 'runs'}, a faint dot each; mean with a 95 % interval over seeds. ${text.note}`,
    summary:
      means.length === 0
        ? 'Nothing was measured.'
        : panels
            .map((panel) =>
              describe(
                panel,
                means.filter((row) => row.panel === panel),
                show,
              ),
            )
            .join(' '),
    spec: smallMultiples(rows, 'panel', view(categories, conditions, text), {
      columns: text.columns ?? 2,
      order: panels,
    }),
    table: {
      columns: ['Panel', text.category, 'Condition', 'Mean', 'Low', 'High', 'Chance'],
      rows: means.map((row) => [
        row.panel,
        row.category,
        row.condition,
        readable(row.estimate),
        readable(row.low),
        readable(row.high),
        readable(chances.find((one) => isSamePlace(one, row))?.chance),
      ]),
    },
  });
}

function isSamePlace(a: PlacedChance, b: PlacedMean): boolean {
  return a.panel === b.panel && a.category === b.category && a.condition === b.condition;
}

function describe(panel: string, means: readonly PlacedMean[], show: (value: number) => string): string {
  const categories = [...new Set(means.map(({ category }) => category))];
  const parts = categories.map((category) => {
    const own = means.filter((row) => row.category === category);
    return `${category}: ${own.map((row) => `${row.condition} ${show(row.estimate)}`).join(', ')}`;
  });
  return `${panel}. ${parts.join('; ')}.`;
}

function view(categories: readonly string[], conditions: readonly string[], text: PointsText) {
  const x = (field: string) =>
    text.plain === true
      ? quantitative(field, text.axis ?? '', { zero: true, format: '.2~f' })
      : accuracyAxis(field, text.axis);
  const place = {
    y: nominal('category', null, categories),
    yOffset: { field: 'condition', type: 'nominal', sort: [...conditions] },
    color: conditionColor(conditions),
  };
  const only = (kind: string) => ({ filter: `datum.kind === '${kind}'` });
  const value = { field: 'value', type: 'quantitative', format: text.plain === true ? '.3~f' : '.1%' };
  return {
    height: { step: 10 + 8 * Math.max(1, conditions.length), for: 'position' },
    layer: [
      {
        transform: [only('chance')],
        mark: { type: 'tick', style: 'reference', thickness: 1.5 },
        encoding: { x: x('chance'), y: place.y, yOffset: place.yOffset },
      },
      {
        transform: [only('run')],
        mark: { type: 'point', style: 'seed' },
        encoding: {
          x: x('value'),
          ...place,
          tooltip: [
            { field: 'category', type: 'nominal', title: text.category },
            { field: 'condition', type: 'nominal' },
            { field: 'seed', type: 'nominal' },
            value,
          ],
        },
      },
      {
        transform: [only('mean'), { filter: 'isValid(datum.low) && isValid(datum.high)' }],
        mark: { type: 'rule', style: 'interval' },
        encoding: { x: x('low'), x2: { field: 'high' }, ...place },
      },
      {
        transform: [only('mean')],
        mark: { type: 'point', style: 'estimate' },
        encoding: { x: x('estimate'), ...place },
      },
    ],
  };
}
