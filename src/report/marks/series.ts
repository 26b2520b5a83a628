/** Series: a number over training steps, a line for each run, one panel a quantity, with the step from which it stays above its null. */
import type { Series } from '../../evidence/summaries.js';
import { scopeText } from '../../evidence/scope.js';
import {
  chart,
  conditionColor,
  counted,
  logarithmic,
  quantitative,
  readable,
  type Row,
  smallMultiples,
} from '../charts/common.js';
import type { ChartSpec } from '../schema.js';

export interface SeriesText {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly headline?: boolean;
}

const panelOf = ({ info, scope }: Series): string => {
  const within = scopeText(scope);
  return within === '' ? info.title : `${info.title}, ${within}`;
};

export function seriesChart(series: readonly Series[], text: SeriesText): ChartSpec {
  const rows = series.flatMap((one) =>
    one.points.map(({ step, value }): Row => ({
      panel: panelOf(one),
      run: one.run,
      condition: one.condition.label,
      seed: one.seed,
      // step 0 has no place on a logarithmic axis
      step: Math.max(step, 0.5),
      value,
    })),
  );
  const panels = [...new Set(series.map(panelOf))];
  const labels = [...new Set(series.map(({ condition }) => condition.label))].sort();
  const runs = new Set(series.map(({ run }) => run)).size;
  const last = Math.max(1, ...series.flatMap(({ points }) => points.map(({ step }) => step)));
  return chart({
    id: text.id,
    title: text.title,
    subtitle: `${counted(runs, 'run')}, a line each; step 0 is drawn at 0.5. ${text.note}`,
    summary:
      series.length === 0
        ? 'Nothing was measured.'
        : panels
            .map(
              (panel) =>
                `${panel}. ${series
                  .filter((one) => panelOf(one) === panel)
                  .map(describe)
                  .join('; ')}.`,
            )
            .join(' '),
    ...(text.headline === true ? { headline: true } : {}),
    spec: smallMultiples(
      rows,
      'panel',
      {
        height: 150,
        mark: { type: 'line', point: true },
        encoding: {
          x: logarithmic('step', 'Training step', [0.5, last]),
          y: quantitative('value', 'Value', { format: '.2~f' }),
          color: conditionColor(labels),
          detail: { field: 'run', type: 'nominal' },
        },
      },
      { columns: Math.min(3, Math.max(1, panels.length)), order: panels, independent: ['y'] },
    ),
    table: {
      columns: ['Quantity', 'Condition', 'Run', 'Step', 'Value', '95 % of chance', 'Onset'],
      rows: series.flatMap((one) =>
        one.points.map(({ step, value, nullHigh }) => [
          panelOf(one),
          one.condition.label,
          one.run,
          step,
          readable(value, 6),
          nullHigh === undefined ? '' : readable(nullHigh),
          one.onset ?? '',
        ]),
      ),
    },
  });
}

function describe({ run, points, onset }: Series): string {
  const [first, last] = [points[0], points[points.length - 1]];
  const stays = onset === undefined ? '' : `, above its null from step ${onset} on`;
  return `${run} ${readable(first.value, 2)} at step ${first.step}, ${readable(last.value, 2)} at step ${last.step}${stays}`;
}
