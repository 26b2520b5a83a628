/** Trained and held-out accuracy over training steps, for runs that were looked at more than once. Pure. */
import type { ChartSpec } from '../schema.js';
import {
  accuracyAxis,
  chart,
  conditionColor,
  counted,
  logarithmic,
  percent,
  type Row,
  smallMultiples,
} from './common.js';
import type { MemorizationStep } from './memorization-data.js';

const PANELS = ['Trained pairs', 'Held-out pairs'] as const;

export function seriesChart(series: readonly MemorizationStep[]): ChartSpec {
  const rows = series.flatMap(({ run, label, step, trained, held }) => {
    // step 0 has no place on a logarithmic axis
    const shared = { run, condition: label, step: Math.max(step, 0.5) };
    const one: Row[] = [{ ...shared, panel: PANELS[0], accuracy: trained }];
    return held === null ? one : [...one, { ...shared, panel: PANELS[1], accuracy: held }];
  });
  const runs = [...new Set(series.map(({ run }) => run))];
  const last = series.reduce((most, { step }) => Math.max(most, step), 1);
  return chart({
    id: 'memorization-series',
    title: 'Memory first, or rule first?',
    subtitle: `Accuracy on two operands over training, ${counted(runs.length, 'run')}; step 0 is drawn at 0.5. Held-out pairs that rise later than trained ones: memorized first, understood after.`,
    summary: runs
      .map((run) => {
        const end = series.filter((point) => point.run === run).at(-1);
        const held = end?.held == null ? '' : `, ${percent(end.held, 0)} of held-out ones`;
        return `${run}: ${percent(end?.trained, 0)} of trained pairs${held} at step ${end?.step ?? 0}.`;
      })
      .join(' '),
    spec: smallMultiples(
      rows,
      'panel',
      {
        height: 190,
        mark: { type: 'line', point: true },
        encoding: {
          x: logarithmic('step', 'Training step', [0.5, last]),
          y: accuracyAxis('accuracy'),
          color: conditionColor([...new Set(series.map(({ label }) => label))]),
          detail: { field: 'run', type: 'nominal' },
        },
      },
      { columns: 2, order: PANELS },
    ),
    table: {
      columns: ['Run', 'Step', ...PANELS],
      rows: series.map(({ run, step, trained, held }) => [run, step, trained, held ?? 'none']),
    },
  });
}
