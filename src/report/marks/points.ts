/**
 * Points: numbers of runs by condition. Every seed a faint dot, the mean with its interval, the control and chance as ticks on
 * the same axis; categories down the side, conditions beside each other, one panel for each quantity. Pure and browser-safe.
 */
import type { Summary } from '../../evidence/summaries.js';
import { groupName } from '../../evidence/summaries.js';
import {
  captionOf,
  chart,
  conditionColor,
  counted,
  intervalMarks,
  nominal,
  percent,
  type PictureText,
  quantitative,
  readable,
  type Row,
  smallMultiples,
  type Spec,
} from '../charts/common.js';
import type { ChartSpec } from '../schema.js';

/** One mean with its runs. */
export interface PointRow {
  readonly panel: string;
  readonly category: string;
  /** the condition's label: its colour */
  readonly condition: string;
  /** in words: the label, and what sets unlearned runs apart */
  readonly name: string;
  readonly values: readonly { readonly run: string; readonly seed: number; readonly value: number }[];
  readonly mean: number;
  readonly low?: number;
  readonly high?: number;
  /** the same number where nothing is to be found */
  readonly control?: number;
  /** 95 % of what chance gives lies below */
  readonly chance?: number;
}

export interface PointsText extends PictureText {
  /** title of the axis with its unit */
  readonly axis: string;
  /** what the categories are, for the table */
  readonly category: string;
  /** values are shares from 0 to 1, shown as per cent */
  readonly share?: boolean;
  readonly columns?: number;
  /** a line across every panel, such as 0 for a difference */
  readonly reference?: number;
}

/** Summaries as rows; where a scope tells several apart, `category` names them. */
export function pointRows(
  summaries: readonly Summary[],
  place: {
    readonly panel?: (summary: Summary) => string;
    readonly category?: (summary: Summary) => string;
  } = {},
): PointRow[] {
  const { panel = (summary: Summary): string => summary.info.title, category = groupName } = place;
  return summaries.map((summary) => ({
    panel: panel(summary),
    category: category(summary),
    condition: summary.condition.label,
    name: groupName(summary),
    values: summary.values,
    mean: summary.mean,
    ...(summary.interval === undefined ? {} : { low: summary.interval.low, high: summary.interval.high }),
    ...(summary.control === undefined ? {} : { control: summary.control }),
    ...(summary.nullHigh === undefined ? {} : { chance: summary.nullHigh }),
  }));
}

export function pointsChart(points: readonly PointRow[], text: PointsText): ChartSpec {
  const rows = points.flatMap(rowsOf);
  const panels = [...new Set(points.map(({ panel }) => panel))];
  const conditions = [...new Set(points.map(({ condition }) => condition))].sort();
  const runs = new Set(points.flatMap(({ values }) => values.map(({ run }) => run))).size;
  const intervals =
    points.length > 0 && points.every(({ values }) => values.length < 2)
      ? 'one seed a condition: no interval'
      : 'mean with a 95 % interval over seeds';
  const ends = shareDomain(points);
  const show = (value: number): string => (text.share === true ? percent(value) : readable(value));
  const ticks = [
    ...(points.some(({ control }) => control !== undefined) ? ['grey tick: control'] : []),
    ...(points.some(({ chance }) => chance !== undefined) ? ['light tick: 95 % of chance lies below'] : []),
  ];
  return chart({
    ...captionOf(text),
    subtitle: [
      `${counted(runs, 'run')}, a faint dot each; ${intervals}${ticks.map((tick) => `; ${tick}`).join('')}.`,
      ...(text.share === true && (ends[0] > 0 || ends[1] < 1)
        ? [`The axis runs from ${percent(ends[0], 0)} to ${percent(ends[1], 0)}.`]
        : []),
      text.note,
    ].join(' '),
    summary:
      points.length === 0
        ? 'Nothing was measured.'
        : panels.map((panel) => describe(panel, points, show)).join(' '),
    spec: smallMultiples(rows, 'panel', view(points, conditions, text), {
      columns: Math.min(text.columns ?? 2, Math.max(1, panels.length)),
      order: panels,
      independent: text.share === true ? [] : ['x'],
    }),
    table: {
      columns: [
        'Panel',
        text.category,
        'Condition',
        'Seed',
        'Value',
        'Mean',
        'Low',
        'High',
        'Control',
        'Chance',
      ],
      rows: points.flatMap((point) =>
        point.values.map(({ seed, value }) => [
          point.panel,
          point.category,
          point.name,
          seed,
          readable(value, 9),
          ...[point.mean, point.low, point.high, point.control, point.chance].map((number) =>
            number === undefined ? '' : readable(number, 4),
          ),
        ]),
      ),
    },
  });
}

function rowsOf({
  panel,
  category,
  condition,
  name,
  values,
  mean,
  low,
  high,
  control,
  chance,
}: PointRow): Row[] {
  const place = { panel, category, condition, name };
  return [
    ...(control === undefined ? [] : [{ ...place, kind: 'control', value: control }]),
    ...(chance === undefined ? [] : [{ ...place, kind: 'chance', value: chance }]),
    ...values.map(({ seed, value }) => ({ ...place, kind: 'run', seed, value })),
    { ...place, kind: 'mean', value: mean, low: low ?? null, high: high ?? null },
  ];
}

/** From 0 to 100 %, or, where the data take up less than half of it, the tens that hold them all. */
function shareDomain(points: readonly PointRow[]): readonly [number, number] {
  const all = points.flatMap(({ values, mean, low = mean, high = mean, control = mean, chance = mean }) => [
    ...values.map(({ value }) => value),
    ...[mean, low, high, control, chance].map((value) => Math.min(1, Math.max(0, value))),
  ]);
  const [low, high] = [
    Math.floor(10 * Math.min(...all) + 1e-9) / 10,
    Math.ceil(10 * Math.max(...all) - 1e-9) / 10,
  ];
  return all.length > 0 && high > low && high - low < 0.5 ? [low, high] : [0, 1];
}

/** Per cent, with room beside the ends so that a dot at 0 % does not cover the names. */
function shareAxis(field: string, title: string, domain: readonly [number, number]): Spec {
  const axis = quantitative(field, title, { domain, format: '.0%', tickCount: 5 });
  return { ...axis, scale: { ...(axis.scale as Spec), padding: 7 } };
}

function view(points: readonly PointRow[], conditions: readonly string[], text: PointsText): Spec {
  const x = (field: string): Spec =>
    text.share === true
      ? shareAxis(field, text.axis, shareDomain(points))
      : quantitative(field, text.axis, { format: '.3~f', tickCount: 5 });
  const categories = [...new Set(points.map(({ category }) => category))];
  const share = (own: readonly PointRow[]): boolean =>
    categories.some(
      (name) =>
        new Set(own.flatMap(({ category, condition }) => (category === name ? condition : []))).size > 1,
    );
  // a colour for each condition, unless the categories are the conditions already; a row where they share a panel
  const named = share(points);
  const panels = [...new Set(points.map(({ panel }) => panel))];
  const beside = panels.some((name) => share(points.filter(({ panel }) => panel === name)));
  const place: Spec = {
    y: nominal('category', null, categories),
    ...(beside ? { yOffset: { field: 'condition', type: 'nominal', sort: [...conditions] } } : {}),
  };
  const color = conditionColor(conditions, { legend: named });
  const only = (kind: string): Spec => ({ filter: `datum.kind === '${kind}'` });
  const value = { field: 'value', type: 'quantitative', format: text.share === true ? '.1%' : '.3~f' };
  const tooltip = [
    { field: 'category', type: 'nominal', title: text.category },
    { field: 'name', type: 'nominal', title: 'condition' },
  ];
  const tick = (kind: string, thickness: number): Spec => ({
    transform: [only(kind)],
    mark: { type: 'tick', style: 'reference', thickness },
    encoding: { x: x('value'), ...place, tooltip: [...tooltip, { ...value, title: kind }] },
  });
  return {
    height: { step: beside ? 10 + 12 * conditions.length : 24, for: 'position' },
    layer: [
      ...(text.reference === undefined
        ? []
        : [
            {
              mark: { type: 'rule', style: 'reference' },
              encoding: { x: { datum: text.reference, type: 'quantitative' } },
            },
          ]),
      tick('control', 2.5),
      tick('chance', 1),
      {
        transform: [only('run')],
        // above the interval, which would hide them
        mark: { type: 'point', style: 'seed', yOffset: beside ? -3 : -6 },
        encoding: {
          x: x('value'),
          ...place,
          color,
          tooltip: [...tooltip, { field: 'seed', type: 'nominal' }, value],
        },
      },
      ...intervalMarks(x, { ...place, color }, { filters: [only('mean')], clip: text.share === true }),
      {
        transform: [only('mean')],
        mark: { type: 'point', style: 'estimate' },
        encoding: { x: x('value'), ...place, color, tooltip: [...tooltip, value] },
      },
    ],
  };
}

function describe(panel: string, points: readonly PointRow[], show: (value: number) => string): string {
  const own = points.filter((point) => point.panel === panel);
  const parts = [...new Set(own.map(({ category }) => category))].map((category) => {
    const rows = own.filter((point) => point.category === category);
    const values = rows.map(({ name, mean }) => (name === category ? show(mean) : `${name} ${show(mean)}`));
    return `${category}: ${values.join(', ')}`;
  });
  return `${panel}. ${parts.join('; ')}.`;
}
