/** Damage by component, operation and role as heat maps, and what goes wrong in free running. Pure and browser-safe. */
import type { ChartSpec } from '../schema.js';
import { type Row, type Spec, chart, distinct, inlineData, nominal, percent, readable } from './common.js';

export interface EffectCell {
  readonly condition: string;
  /** ablation method, with site or effect where it is not the usual one */
  readonly method: string;
  readonly component: string;
  /** `SUM result` */
  readonly cell: string;
  /** rise of the mean loss, nats; not clipped */
  readonly deltaNats: number;
  /** change of the accuracy */
  readonly deltaAccuracy: number;
}

export interface EffectText {
  readonly id: string;
  readonly title: string;
  readonly note: string;
}

/** Component by (operation, role), one map a condition and method; colour: nats on a root scale, so that small effects show. */
export function effectChart(cells: readonly EffectCell[], text: EffectText): ChartSpec {
  const rows = cells.map((cell): Row => ({ ...cell }));
  const most = cells.reduce((a, { deltaNats }) => Math.max(a, Math.abs(deltaNats)), 0) || 1;
  const methods = distinct(rows, 'method');
  const conditions = distinct(rows, 'condition');
  const greatest = conditions.flatMap((condition) => {
    const own = cells.filter((cell) => cell.condition === condition);
    const top = own.reduce((a, b) => (b.deltaNats > a.deltaNats ? b : a), own[0]);
    return `${condition}: most is lost by ${top.method} ablation of ${top.component}, ${readable(top.deltaNats)} nats on ${top.cell}.`;
  });
  return chart({
    id: text.id,
    title: text.title,
    subtitle: `${text.note} Means over runs.`,
    summary: greatest.length === 0 ? 'Nothing was measured.' : greatest.join(' '),
    // one row of maps a condition, each with its own operations only
    spec: {
      vconcat: conditions.map((condition) => {
        const own = rows.filter((row) => row.condition === condition);
        return {
          title: condition,
          data: inlineData(own),
          facet: { column: { ...nominal('method', null, methods), header: { labelLimit: 150 } } },
          spec: map(own, most),
        };
      }),
    },
    table: {
      columns: [
        'Condition',
        'Ablation',
        'Component',
        'Target',
        'Loss above intact (nats)',
        'Change of accuracy',
      ],
      rows: cells.map((c) => [c.condition, c.method, c.component, c.cell, c.deltaNats, c.deltaAccuracy]),
    },
  });
}

function map(rows: readonly Row[], most: number): Spec {
  const value = { field: 'deltaNats', type: 'quantitative' };
  const cells = distinct(rows, 'cell');
  return {
    // wide enough for the name of the method above
    width: { step: Math.max(22, Math.ceil(84 / cells.length)) },
    height: { step: 20 },
    mark: { type: 'rect', style: 'cell' },
    encoding: {
      x: { ...nominal('cell', null, cells), axis: { labelAngle: -50, labelOverlap: false } },
      y: nominal('component', null, distinct(rows, 'component')),
      color: {
        ...value,
        title: 'nats',
        // a symmetric root: 0.01 nats stay visible beside 10
        scale: { type: 'symlog', constant: 0.1, range: 'diverging', domain: [-most, most], domainMid: 0 },
        legend: { format: '.2~f' },
      },
      tooltip: [
        { field: 'condition', type: 'nominal' },
        { field: 'component', type: 'nominal' },
        { field: 'cell', type: 'nominal', title: 'target' },
        { ...value, title: 'nats', format: '.3~f' },
        { field: 'deltaAccuracy', type: 'quantitative', title: 'accuracy', format: '.1%' },
      ],
    },
  };
}

export interface FreeRunningRow {
  readonly condition: string;
  readonly component: string;
  /** the four shares sum to 1 */
  readonly exact: number;
  readonly result: number;
  readonly copy: number;
  readonly format: number;
}

const OUTCOMES = [
  { field: 'exact', name: 'all right' },
  { field: 'result', name: 'first error: result' },
  { field: 'copy', name: 'first error: copy' },
  { field: 'format', name: 'first error: format' },
] as const;

/** Whole chains generated under ablation: right, or the role of the first wrong token. */
export function freeRunningChart(data: readonly FreeRunningRow[]): ChartSpec {
  const rows = data.flatMap((row) =>
    OUTCOMES.map(({ field, name }, order): Row => ({
      condition: row.condition,
      component: row.component,
      outcome: name,
      order,
      share: row[field],
    })),
  );
  const sentences = data.map((row) => `${row.condition}, ${row.component}: ${percent(row.exact, 0)} right.`);
  return chart({
    id: 'ablation-free-running',
    title: 'What goes wrong when the model writes on its own',
    subtitle: 'Greedy generation with resample ablation active at every token. Means over runs.',
    summary: sentences.length === 0 ? 'Nothing was measured.' : sentences.join(' '),
    spec: {
      data: inlineData(rows),
      facet: { field: 'condition', type: 'nominal', title: null, sort: distinct(rows, 'condition') },
      columns: 2,
      spec: {
        height: { step: 20 },
        mark: { type: 'bar' },
        encoding: {
          y: nominal('component', null, distinct(rows, 'component')),
          x: {
            field: 'share',
            type: 'quantitative',
            title: 'Chains (%)',
            stack: 'zero',
            scale: { domain: [0, 1] },
            axis: { format: '.0%', tickCount: 5 },
          },
          order: { field: 'order', type: 'ordinal' },
          color: {
            field: 'outcome',
            type: 'nominal',
            title: null,
            scale: { domain: OUTCOMES.map(({ name }) => name) },
            legend: { orient: 'top', direction: 'horizontal', columns: 4 },
          },
        },
      },
    },
    table: {
      columns: ['Condition', 'Ablated', ...OUTCOMES.map(({ name }) => name)],
      rows: data.map((row) => [row.condition, row.component, row.exact, row.result, row.copy, row.format]),
    },
  });
}
