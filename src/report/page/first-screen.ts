/** Top of the page: title, what was compared, the claims with their verdicts. Verdict words come from findings only. */
import { grouped } from '../../evidence/results.js';
import { VERDICTS, type Verdict } from '../../evidence/verdict.js';
import { colorIndex, placesOf, roundOf } from '../../palette.js';
import { percent, readable } from '../charts/common.js';
import type { Finding, Report } from '../schema.js';
import { type ConditionSummary, LEARNING } from './conditions.js';
import { html, type Html } from './html.js';
import { numeric, scrollTable } from './table.js';
import { intervalText, levelText, minus, ranges, span, unitText } from './numbers.js';

/** A verdict as a badge; its look follows its place in VERDICTS. */
export function verdictBadge(verdict: Verdict): Html {
  return html`<span class="verdict" data-verdict="${VERDICTS.indexOf(verdict)}">${verdict}</span>`;
}

/** Number of the condition's colour, used by the style sheet. @param place - see placesOf */
export function swatch(place: number): Html {
  return html`<span
    class="swatch"
    data-condition="${colorIndex(place)}"
    data-round="${roundOf(place)}"
    aria-hidden="true"
  ></span>`;
}

export function header(report: Report, conditions: readonly ConditionSummary[]): Html {
  const runs = new Set([...report.subjects, ...report.training].map(({ run }) => run)).size;
  const count = (n: number, one: string, many: string) => `${grouped(n)} ${n === 1 ? one : many}`;
  // what was learned is read out of the logs: no module examined a checkpoint for it
  const modules = Object.keys(report.modules).filter((name) => name !== LEARNING).length;
  const lede = `${count(report.subjects.length, 'checkpoint', 'checkpoints')} of ${count(runs, 'run', 'runs')} in ${count(conditions.length, 'condition', 'conditions')}, examined by ${count(modules, 'module', 'modules')}.`;
  return html`<header class="masthead">
    <p class="kicker">sumlens report</p>
    <h1>${report.title}</h1>
    <p class="lede">${lede}</p>
    ${notesOf(report.notes)}
  </header>`;
}

/** What the author wrote, a paragraph a line. */
function notesOf(notes: string | undefined): Html | undefined {
  const lines = (notes ?? '').split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) return undefined;
  return html`<section class="notes" aria-label="Notes">
    ${lines.map((line) => html`<p>${line}</p>`)}
  </section>`;
}

/** A table of more conditions is folded. */
const MOST_OPEN = 40;

export function compared(conditions: readonly ConditionSummary[]): Html {
  if (conditions.length === 0) {
    return html`<section aria-labelledby="compared">
      <h2 id="compared">What was compared</h2>
      <p>No run was given, so there is nothing to compare.</p>
    </section>`;
  }
  const operations = [...new Set(conditions.flatMap((c) => c.operations.map(({ operation }) => operation)))];
  const places = placesOf(conditions.map(({ label }) => label));
  const rows = conditions.map(
    (condition) =>
      html`<tr>
        <th scope="row">${swatch(places.get(condition.label) ?? 0)}${condition.label}</th>
        <td class="number">${span(condition.parameters)}</td>
        <td class="number">
          ${condition.seeds.length} <span class="aside">(${ranges(condition.seeds)})</span>
        </td>
        <td class="number">${span(condition.steps)}</td>
        ${operations.map((operation) => learnedCell(condition, operation))}
      </tr>`,
  );
  const table = scrollTable(
    'Conditions',
    [
      'Condition',
      ...['Parameters', 'Seeds', 'Step', ...operations.map((name) => `${name} learned`)].map(numeric),
    ],
    { rows, kind: 'conditions' },
  );
  const nests = conditions.some(({ subjects }) => subjects.some(({ design }) => design.nested));
  const diverged = conditions.filter((condition) => condition.diverged > 0);
  return html`<section aria-labelledby="compared">
    <h2 id="compared">What was compared</h2>
    ${
      conditions.length > MOST_OPEN
        ? html`<details>
            <summary>All ${conditions.length} conditions</summary>
            ${table}
          </details>`
        : table
    }
    <p class="note">
      Seeds: how many, and in brackets which. Learned: accuracy on result tokens of at least 95 % at the last
      two evaluations, greedy; in brackets the accuracy at the end, lowest and highest over
      seeds${nests ? '; where expressions nest, the smaller of the last two evaluations, alone and inside other expressions, which decides' : ''}.
    </p>
    ${diverged.map((condition) => html`<p class="note">${condition.label}: ${condition.diverged} diverged; counted by the last finite checkpoint.</p>`)}
  </section>`;
}

function learnedCell(condition: ConditionSummary, operation: string): Html {
  const found = condition.operations.find((row) => row.operation === operation);
  if (found === undefined)
    return html`<td class="number absent">
      <span aria-hidden="true">–</span><span class="visually-hidden">not trained on</span>
    </td>`;
  const { learned, runs, lowest, highest } = found;
  const low = percent(lowest, 0);
  const high = percent(highest, 0);
  const all = learned === runs ? 'all' : learned === 0 ? 'none' : 'some';
  return html`<td class="number learned" data-learned="${all}">
    ${learned} of ${runs} <span class="aside">(${low === high ? low : `${low} \u2013 ${high}`})</span>
  </td>`;
}

/** `0.42 [0.31, 0.53] octaves` with the level of the interval. */
export function estimateText(finding: Pick<Finding, 'estimate' | 'interval' | 'unit'>): Html {
  if (finding.estimate === undefined) return html`<span class="estimate absent">not computed</span>`;
  const { interval } = finding;
  const range =
    interval === undefined
      ? undefined
      : html` <span class="interval">${intervalText(interval)}</span>
          <span class="aside-inline"
            >${unitText(finding.unit)} ${levelText(interval.level)} ${interval.method}</span
          >`;
  const unit =
    interval === undefined && unitText(finding.unit) !== '' ? html` ${unitText(finding.unit)}` : undefined;
  return html`<span class="estimate">${minus(readable(finding.estimate))}</span>${unit}${range}`;
}

/** First letter large, full stop at the end. */
export function sentence(text: string | undefined): string {
  if (text === undefined || text === '') return '';
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}
