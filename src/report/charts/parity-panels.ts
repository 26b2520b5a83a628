/** Small multiples of points for the parity probe: every seed, the mean with its interval, controls as grey rings and strokes. Pure. */
import {
  conditionColor,
  inlineData,
  nominal,
  quantitative,
  type QuantitativeOptions,
  type Row,
  smallMultiples,
  type Spec,
} from './common.js';

/** What a row is drawn as. */
export type PointKind = 'seed' | 'mean' | 'untrained' | 'null95';

export interface PanelPoint {
  readonly panel: string;
  /** what stands down the side */
  readonly category: string;
  readonly condition: string;
  readonly kind: PointKind;
  readonly estimate: number;
  readonly low?: number | null;
  readonly high?: number | null;
  readonly seed?: number;
}

export interface Panels {
  readonly points: readonly PanelPoint[];
  readonly title: string;
  readonly axis?: QuantitativeOptions;
  readonly independent?: boolean;
  readonly columns?: number;
  /** a thin line at this value in every panel */
  readonly line?: number;
}

export function parityPanels({ points, title, axis, independent, columns, line }: Panels): Spec {
  const rows = points.map((point): Row => ({
    ...point,
    low: point.low ?? null,
    high: point.high ?? null,
    seed: point.seed ?? null,
  }));
  const panels = [...new Set(points.map(({ panel }) => panel))];
  const categories = [...new Set(points.map(({ category }) => category))];
  const conditions = [...new Set(points.map(({ condition }) => condition))];
  const x = (field: string) => quantitative(field, title, axis);
  const y = nominal('category', null, categories);
  const color = conditionColor(conditions, { legend: false });
  const only = (kind: PointKind) => [{ filter: { field: 'kind', equal: kind } }];
  const tooltip = [
    { field: 'category', type: 'nominal', title: 'condition' },
    { field: 'seed', type: 'nominal' },
    { field: 'estimate', type: 'quantitative', format: '.3~f' },
  ];
  const view: Spec = {
    height: { step: 24 },
    layer: [
      ...(line === undefined
        ? []
        : [
            {
              // one line a panel, not one a row
              transform: [{ aggregate: [{ op: 'count', as: 'rows' }] }],
              mark: { type: 'rule', style: 'reference' },
              encoding: { x: { datum: line, type: 'quantitative' } },
            },
          ]),
      {
        transform: only('null95'),
        mark: { type: 'tick', style: 'reference', thickness: 2, size: 17 },
        encoding: { x: x('estimate'), y, tooltip },
      },
      {
        transform: only('untrained'),
        mark: { type: 'point', style: 'reference', shape: 'circle', filled: false, size: 26, strokeDash: [] },
        encoding: { x: x('estimate'), y, tooltip },
      },
      {
        transform: only('seed'),
        mark: { type: 'point', style: 'seed' },
        encoding: { x: x('estimate'), y, color, tooltip },
      },
      {
        transform: [...only('mean'), { filter: 'isValid(datum.low) && isValid(datum.high)' }],
        mark: { type: 'rule', style: 'interval', clip: true },
        encoding: { x: x('low'), x2: { field: 'high' }, y, color },
      },
      {
        transform: only('mean'),
        mark: { type: 'point', style: 'estimate' },
        encoding: { x: x('estimate'), y, color, tooltip },
      },
    ],
  };
  if (panels.length === 1) return { ...view, data: inlineData(rows) };
  return smallMultiples(rows, 'panel', view, {
    columns: columns ?? 2,
    order: panels,
    ...(independent === true ? { independent: ['x'] } : {}),
  });
}
