/** Parity score over training steps, for runs that were looked at more than once. Pure. */
import type { ChartSpec } from '../schema.js';
import {
  chart,
  conditionColor,
  counted,
  inlineData,
  logarithmic,
  quantitative,
  readable,
  type Row,
} from './common.js';
import type { ParitySeriesPoint } from './parity-data.js';

export function paritySeries(series: readonly ParitySeriesPoint[]): ChartSpec {
  const runs = [...new Set(series.map(({ run }) => run))];
  const rows = series.map((point): Row => ({
    run: point.run,
    condition: point.label,
    // step 0 has no place on a logarithmic axis
    step: Math.max(point.step, 0.5),
    estimate: point.parity,
  }));
  const last = Math.max(1, ...series.map(({ step }) => step));
  const encoding = {
    x: logarithmic('step', 'Training step', [0.5, last]),
    y: quantitative('estimate', 'Held-out pairs in the right order (%)', {
      domain: [0, 1],
      format: '.0%',
      tickCount: 5,
    }),
    color: conditionColor([...new Set(series.map(({ label }) => label))]),
    detail: { field: 'run', type: 'nominal' },
  };
  return chart({
    id: 'parity-series',
    title: 'Parity of the number embeddings over training',
    subtitle: `${counted(runs.length, 'run')} at ${new Set(series.map(({ step }) => step)).size} steps; step 0 is drawn at 0.5. Chance is 50 % (dashed).`,
    summary: runs
      .map((run) => {
        const own = series.filter((point) => point.run === run);
        const [first, end] = [own[0], own[own.length - 1]];
        return `${run}: ${readable(first.parity, 2)} at step ${first.step}, ${readable(end.parity, 2)} at step ${end.step}.`;
      })
      .join(' '),
    spec: {
      data: inlineData(rows),
      height: 200,
      layer: [
        { mark: { type: 'line', point: true }, encoding },
        {
          data: inlineData([{ chance: 0.5 }]),
          mark: { type: 'rule', style: 'reference' },
          encoding: { y: { field: 'chance', type: 'quantitative' } },
        },
      ],
    },
    table: {
      columns: ['Run', 'Step', 'Score', 'Null 95 %'],
      rows: series.map((point) => [point.run, point.step, readable(point.parity), readable(point.null95)]),
    },
  });
}
