/** One section a module: question, pictures, what it shows and does not show, method, numbers, what was left out. */
import type { ChartSpec, Finding, ModuleReport } from '../schema.js';
import { figures } from './figure.js';
import { estimateText, sentence, verdictBadge } from './first-screen.js';
import { html, type Html } from './html.js';
import { countText, pText } from './numbers.js';
import { numeric, scrollTable } from './table.js';

/**
 * @param anchor - id of the section in the page
 * @param anchorOf - id of a chart that stands at the top of the page, undefined for the others
 */
export function moduleSection(
  name: string,
  module: ModuleReport,
  anchor: string,
  anchorOf: (chart: ChartSpec) => string | undefined,
  /** pictures that stand open */
  open: number,
): Html {
  const own = module.charts.filter((chart) => anchorOf(chart) === undefined);
  return html`<section class="module" aria-labelledby="${anchor}">
    <h2 id="${anchor}">${module.title}</h2>
    <p class="question">${module.question}</p>
    ${status(module)} ${leftOut(module)} ${module.charts.map((chart) => pointer(chart, anchorOf(chart)))}
    ${figures(own, anchor, open)} ${reading(module)} ${findings(module)}
    <details class="method">
      <summary>Method and options</summary>
      ${module.text === undefined ? undefined : paragraphs(module.text.method)}
      <dl class="options">
        <dt>module</dt>
        <dd>${name}, version ${module.version}</dd>
        ${Object.entries(module.options)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(
            ([key, value]) =>
              html`<dt>${key}</dt>
                <dd>${optionText(value)}</dd>`,
          )}
      </dl>
    </details>
  </section>`;
}

function reading({ text }: ModuleReport): Html | undefined {
  if (text === undefined) return undefined;
  return html`<div class="reading">
    <div>
      <h3>What it shows</h3>
      ${paragraphs(text.shows)}
    </div>
    <div>
      <h3>What it does not show</h3>
      ${paragraphs(text.doesNotShow)}
    </div>
  </div>`;
}

function optionText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function status(module: ModuleReport): Html | undefined {
  if (module.status === 'ok') return undefined;
  const what =
    module.status === 'failed' ? 'This module failed.' : 'This module does not apply to these checkpoints.';
  return html`<p class="notice" data-status="${module.status}">
    <strong>${what}</strong> ${sentence(module.reason)}
  </p>`;
}

/** Where a picture of this module stands that is not repeated here. */
function pointer(chart: ChartSpec, anchor: string | undefined): Html | undefined {
  if (anchor === undefined) return undefined;
  return html`<p class="note">At the top of the page: <a href="#${anchor}">${chart.title}</a></p>`;
}

/** How many checkpoints and the reason they share up to its figures; the list itself folds away. */
function leftOut(module: ModuleReport): Html | undefined {
  const total = module.leftOut.length;
  if (total === 0) return undefined;
  const reasons = new Set(module.leftOut.map(({ reason }) => reason.replace(/ \(.*$/s, '')));
  const why = reasons.size === 1 ? `: ${[...reasons].join('')}` : '';
  return html`<details class="notice left-out">
    <summary>${total} ${total === 1 ? 'checkpoint is' : 'checkpoints are'} left out${why}</summary>
    <ul>
      ${module.leftOut.map(({ subject, reason }) => html`<li><code>${subject}</code> ${reason}</li>`)}
    </ul>
  </details>`;
}

export function paragraphs(text: string): Html {
  return html`${text
    .split(/\n\s*\n/)
    .filter((part) => part.trim() !== '')
    .map((part) => html`<p>${part.trim()}</p>`)}`;
}

/** More exploratory findings than this fold away: a page is read from its claims. */
const OPEN_EXPLORATORY = 4;

/** Findings with a verdict first, then the exploratory ones, each in the order of the module. */
function findings({ title, findings: all }: ModuleReport): Html | undefined {
  if (all.length === 0) return undefined;
  const decided = all.filter(({ claim }) => claim !== undefined);
  const exploratory = all.filter(({ claim }) => claim === undefined);
  const hasP = all.some(({ p }) => p !== undefined);
  const row = (finding: Finding) =>
    html`<tr>
      <td>
        ${finding.statement} <span class="statistic">${finding.statistic}</span>
        ${finding.reason === undefined ? undefined : html`<span class="statistic">${sentence(finding.reason)}</span>`}
      </td>
      <td>
        ${finding.verdict === undefined ? html`<span class="verdict" data-verdict="none">${finding.claim === undefined ? 'exploratory' : 'no verdict'}</span>` : html`${finding.claim} ${verdictBadge(finding.verdict)}`}
      </td>
      <td>${estimateText(finding)}</td>
      <td class="number">${countText(finding.n)}</td>
      ${hasP ? pCell(finding) : undefined}
    </tr>`;
  const table = (rows: readonly Finding[], label: string) =>
    scrollTable(
      `${label}: ${title}`,
      ['Finding', 'Standing', 'Estimate', ...['From', ...(hasP ? ['p'] : [])].map(numeric)],
      { rows: rows.map(row), kind: 'findings' },
    );
  const note = html`<p class="note">
    Exploratory findings have no verdict; their adjusted p is Benjamini–Hochberg within this module.
  </p>`;
  return html`<h3>Numbers</h3>
    ${decided.length === 0 ? undefined : table(decided, 'Findings')}
    ${
      exploratory.length === 0
        ? undefined
        : html`<details class="exploratory" ${exploratory.length <= OPEN_EXPLORATORY ? 'open' : ''}>
            <summary>
              ${exploratory.length} exploratory ${exploratory.length === 1 ? 'finding' : 'findings'}
            </summary>
            ${table(exploratory, 'Exploratory findings')} ${note}
          </details>`
    }`;
}

function pCell({ p, pMethod, pAdjusted }: Finding): Html {
  return html`<td class="number">
    ${pText(p)}
    ${pAdjusted === undefined ? undefined : html`<span class="aside">(adjusted ${pText(pAdjusted)})</span>`}
    ${pMethod === undefined ? undefined : html`<span class="aside">${pMethod}</span>`}
  </td>`;
}
