/** Order, ring and closure over training steps, for runs that were looked at more than once. Pure. */
import type { ChartSpec } from '../schema.js';
import {
  chart,
  conditionColor,
  counted,
  logarithmic,
  quantitative,
  readable,
  type Row,
  smallMultiples,
} from './common.js';
import type { SeriesPoint } from './embedding-data.js';

const STATISTICS = [
  { name: 'Order as named', field: 'order' },
  { name: 'Ring, best naming', field: 'circularExcess' },
  { name: 'Closure as named', field: 'closure' },
] as const;

export function embeddingSeries(series: readonly SeriesPoint[]): ChartSpec {
  const rows = STATISTICS.flatMap(({ name, field }) =>
    series.map((point): Row => ({
      statistic: name,
      run: point.run,
      condition: point.label,
      // step 0 has no place on a logarithmic axis
      step: Math.max(point.step, 0.5),
      estimate: point[field],
    })),
  );
  const labels = [...new Set(series.map(({ label }) => label))];
  const runs = new Set(series.map(({ run }) => run)).size;
  const last = Math.max(1, ...series.map(({ step }) => step));
  return chart({
    id: 'embedding-series',
    title: 'Geometry over training',
    subtitle: `${counted(runs, 'run')} at ${new Set(series.map(({ step }) => step)).size} steps; step 0 is drawn at 0.5. Ring: best naming minus chance.`,
    summary: [...new Set(series.map(({ run }) => run))].map((run) => describe(run, series)).join(' '),
    spec: smallMultiples(
      rows,
      'statistic',
      {
        height: 170,
        mark: { type: 'line', point: true },
        encoding: {
          x: logarithmic('step', 'Training step', [0.5, last]),
          y: quantitative('estimate', 'Statistic (dimensionless)', { format: '.2~f' }),
          color: conditionColor(labels),
          detail: { field: 'run', type: 'nominal' },
        },
      },
      { columns: 3, order: STATISTICS.map(({ name }) => name), independent: ['y'] },
    ),
    table: {
      columns: ['Run', 'Step', ...STATISTICS.map(({ name }) => name)],
      rows: series.map((point) => [
        point.run,
        point.step,
        ...STATISTICS.map(({ field }) => readable(point[field])),
      ]),
    },
  });
}

function describe(run: string, series: readonly SeriesPoint[]): string {
  const own = series.filter((point) => point.run === run);
  const [first, last] = [own[0], own[own.length - 1]];
  return `${run}: order ${readable(first.order, 2)} at step ${first.step}, ${readable(last.order, 2)} at step ${last.step}; closure ${readable(first.closure, 2)} and ${readable(last.closure, 2)}.`;
}
