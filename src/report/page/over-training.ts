/** Numbers over training steps: onsets in a table, and every statistic of every module over the steps of its runs. */
import { PRIMARY } from '../../evidence/conditions.js';
import type { Evidence } from '../../evidence/evidence.js';
import { groupBy } from '../../evidence/group-by.js';
import { onsetsOf, type Series, seriesOf } from '../../evidence/series.js';
import { placesOf } from '../../palette.js';
import { type AccuracyCurve, onsetText, panelOf, seriesChart } from '../marks/series.js';
import { median } from '../charts/training-curves.js';
import type { ChartSpec, Report } from '../schema.js';
import { conditionLabels } from './conditions.js';
import { swatch } from './first-screen.js';
import { html, type Html } from './html.js';
import { levelText } from './numbers.js';
import { numeric, scrollTable } from './table.js';

/** Panels of one picture; more of a module stand in a second one. */
const MOST_PANELS = 9;

export interface OverTraining {
  readonly charts: readonly ChartSpec[];
  readonly onsets: Html | undefined;
}

/** Nothing where every run was measured once. @param without - the module of the training outcomes, which has its own curves */
export function overTraining(report: Report, evidence: Evidence, without: string): OverTraining {
  const series = [...evidence.statistics].flatMap(([id, { detail }]) =>
    detail === true || id.startsWith(`${without}/`) ? [] : seriesOf(evidence, id),
  );
  const accuracies = accuracyOf(report);
  const charts = [...groupBy(series, ({ statistic }) => statistic.slice(0, statistic.indexOf('/')))].flatMap(
    ([module, own]) => {
      const panels = [...groupBy(own, panelOf).values()].filter((runs) => runs.some(changes));
      const parts = Math.ceil(panels.length / MOST_PANELS);
      return Array.from({ length: parts }, (_, i) =>
        seriesChart(panels.slice(i * MOST_PANELS, (i + 1) * MOST_PANELS).flat(), accuracies, {
          id: `series-${module}${i === 0 ? '' : `-${i + 1}`}`,
          title: `${report.modules[module].title}, over training${parts === 1 ? '' : `, ${i + 1} of ${parts}`}`,
          note: '',
        }),
      );
    },
  );
  return { charts, onsets: onsetTable(series, evidence, conditionLabels(report)) };
}

/** What depends on the data alone stays the same at every step. */
const changes = ({ points }: Series): boolean => points.some(({ value }) => value !== points[0].value);

/** Accuracy on SUM, or on the first task of a run without it: the median of a condition at every step that its runs logged. */
function accuracyOf({ training }: Report): AccuracyCurve[] {
  return [...groupBy(training, ({ label }) => label)].flatMap(([condition, records]) => {
    const logged = records.flatMap(({ points }) => points.filter(({ accuracy }) => accuracy !== undefined));
    const names = Object.keys(logged.at(0)?.accuracy ?? {});
    const operation = names.includes(PRIMARY) ? PRIMARY : names.at(0);
    if (operation === undefined) return [];
    const points = [...groupBy(logged, ({ step }) => String(step)).values()].flatMap((at) => {
      const values = at.flatMap(({ accuracy }) => accuracy?.[operation] ?? []);
      return 2 * values.length < records.length ? [] : [{ step: at[0].step, value: median(values) }];
    });
    return [{ condition, operation, points: points.sort((a, b) => a.step - b.step) }];
  });
}

function onsetTable(
  series: readonly Series[],
  { conditions }: Evidence,
  labels: readonly string[],
): Html | undefined {
  const all = onsetsOf(series);
  if (all.length === 0) return undefined;
  const levels = [...new Set(all.flatMap(({ interval }) => interval?.level ?? []))].sort();
  const cell = (found: (typeof all)[number] | undefined): Html =>
    found === undefined
      ? html`<td class="number absent">–</td>`
      : html`<td class="number">
          ${onsetText(found)}
          <span class="aside"
            >(${found.runs.filter(({ onset }) => Number.isFinite(onset.by)).length} of
            ${found.runs.length})</span
          >
        </td>`;
  const places = placesOf(labels);
  const heads = conditions.map(({ label }) => numeric(html`${swatch(places.get(label) ?? 0)}${label}`));
  const rows = [...groupBy(all, panelOf)].map(
    ([panel, own]) =>
      html`<tr>
        <th scope="row">${panel}</th>
        ${conditions.map((condition) => cell(own.find((one) => one.condition.id === condition.id)))}
      </tr>`,
  );
  return html`<h3>Onsets</h3>
    ${scrollTable('Onsets', ['Stays above chance from step', ...heads], { rows, kind: 'onsets' })}
    <p class="note">
      First step measured from which a number stays above what 95 % of its null reaches, to the last step:
      median over
      seeds${
        levels.length === 0
          ? '; one seed a condition, no interval'
          : `, with the interval of order statistics (${levels.map(levelText).join(', ')}${levels.some((level) => level < 0.95) ? ': the range, since fewer than six seeds allow no more' : ''}), which begins at the step measured before`
      }.
      In brackets the seeds that reached it; those that did not count as later.
    </p>`;
}
