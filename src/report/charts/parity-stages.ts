/** Small multiples of lines over the layers: every run faint, means bold; untrained models, limits and bags in grey. Pure. */
import {
  conditionColor,
  nominal,
  quantitative,
  type QuantitativeOptions,
  readable,
  type Row,
  smallMultiples,
  type Spec,
} from './common.js';
import type { ChartSpec } from '../schema.js';
import type { MeanCell, MeanContext, ParityGroup } from './parity-data.js';

/** Category at the left of the layers, for what has none. */
const BAG = 'bag of numbers';

/** seed, mean: the trained models; limit: what chance does not exceed */
export type StageKind = 'seed' | 'mean' | 'untrained' | 'limit' | 'bag';

export interface StagePoint {
  readonly panel: string;
  readonly condition: string;
  /** one line each */
  readonly run: string;
  readonly stage: string;
  readonly kind: StageKind;
  readonly value: number;
}

/** What a panel shows of one condition at one position. */
export interface StagePanel {
  readonly panel: string;
  readonly group: ParityGroup;
  readonly context: MeanContext;
  readonly position: number;
  /** value of each seed; empty: not asked */
  readonly valuesOf: (cell: MeanCell) => readonly number[];
  readonly limitOf: (cell: MeanCell) => number | null;
}

export function stagePoints({
  panel,
  group,
  context,
  position,
  valuesOf,
  limitOf,
}: StagePanel): StagePoint[] {
  const here = (cells: readonly MeanCell[]): MeanCell[] =>
    cells.filter((cell) => cell.position === position && valuesOf(cell).length > 0);
  const point = (stage: string, kind: StageKind, value: number, run = group.name): StagePoint => ({
    panel,
    condition: group.label,
    run,
    stage,
    kind,
    value,
  });
  return [
    ...here(context.bag).map((cell) => point(BAG, 'bag', average(valuesOf(cell)))),
    ...here(context.untrained).map((cell) =>
      point(context.stages[cell.stage], 'untrained', average(valuesOf(cell))),
    ),
    ...here(context.cells).flatMap((cell) => {
      const stage = context.stages[cell.stage];
      const limit = limitOf(cell);
      return [
        ...valuesOf(cell).map((value, s) => point(stage, 'seed', value, `${group.name} ${s}`)),
        point(stage, 'mean', average(valuesOf(cell))),
        ...(limit === null ? [] : [point(stage, 'limit', limit)]),
      ];
    }),
  ];
}

export interface StageLines {
  readonly points: readonly StagePoint[];
  readonly stages: readonly string[];
  readonly title: string;
  readonly axis: QuantitativeOptions;
  /** panels in a row, default 3 */
  readonly columns?: number;
}

export function stageLines({ points, stages, title, axis, columns = 3 }: StageLines): Spec {
  const conditions = [...new Set(points.map(({ condition }) => condition))];
  const panels = [...new Set(points.map(({ panel }) => panel))];
  const x: Spec = {
    ...nominal('stage', null, [BAG, ...stages]),
    axis: { labelAngle: -40, labelOverlap: false },
    scale: { domain: [BAG, ...stages] },
  };
  const y = quantitative('value', title, axis);
  const color = conditionColor(conditions);
  const only = (kind: StageKind) => ({ transform: [{ filter: { field: 'kind', equal: kind } }] });
  const tooltip = [
    { field: 'run', type: 'nominal' },
    { field: 'stage', type: 'nominal', title: 'after' },
    { field: 'kind', type: 'nominal' },
    { field: 'value', type: 'quantitative', format: '.2f' },
  ];
  const view: Spec = {
    width: { step: columns > 3 ? 29 : 34 },
    height: 150,
    layer: [
      // the legend takes its lines from the first layer
      {
        ...only('mean'),
        mark: { type: 'line', style: 'median-line', point: { size: 40 } },
        encoding: { x, y, color, tooltip },
      },
      {
        ...only('seed'),
        mark: { type: 'line', style: 'seed-line' },
        encoding: { x, y, color, detail: { field: 'run', type: 'nominal' } },
      },
      {
        ...only('limit'),
        mark: { type: 'tick', style: 'reference', thickness: 2, size: 22, orient: 'horizontal' },
        encoding: { x, y, tooltip },
      },
      {
        ...only('untrained'),
        mark: { type: 'point', style: 'reference', shape: 'circle', filled: false, size: 30, strokeDash: [] },
        encoding: { x, y, tooltip },
      },
      {
        ...only('bag'),
        mark: { type: 'point', style: 'reference', shape: 'diamond', filled: true, size: 40 },
        encoding: { x, y, tooltip },
      },
    ],
  };
  return smallMultiples(
    points.map((point): Row => ({ ...point, value: Number(point.value.toPrecision(4)) })),
    'panel',
    view,
    { columns, order: panels },
  );
}

/** The numbers of the lines. @param names - of the value's column, and of what chance does not exceed */
export function stageTable(
  points: readonly StagePoint[],
  names: { readonly value: string; readonly limit: string },
): ChartSpec['table'] {
  return {
    columns: ['Condition', 'Position', 'Layer', 'Model', names.value],
    rows: points
      .filter(({ kind }) => kind !== 'mean')
      .map(({ panel, stage, kind, run, value }) => [
        run,
        panel,
        stage,
        kind === 'seed' ? 'trained' : kind === 'limit' ? names.limit : kind,
        readable(value),
      ]),
  };
}

export function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
