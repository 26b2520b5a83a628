/** Top of the page: title, what was compared, the claims with their verdicts. Verdict words come from findings only. */
import { CLAIMS, claimPart, CLAIM_PART_IDS, type Claim, type ClaimPart } from '../../analysis/claims.js';
import { VERDICTS, type Verdict } from '../../analysis/verdict.js';
import { percent, readable } from '../charts/common.js';
import type { Finding, Report } from '../schema.js';
import type { ConditionSummary } from './conditions.js';
import { html, type Html, type Part } from './html.js';
import { grouped, intervalText, levelText, minus, ranges, span, unitText } from './numbers.js';

/** A verdict as a badge; its look follows its place in VERDICTS. */
export function verdictBadge(verdict: Verdict): Html {
  return html`<span class="verdict" data-verdict="${VERDICTS.indexOf(verdict)}">${verdict}</span>`;
}

/** Number of the condition's colour, used by the style sheet. */
export function swatch(index: number): Html {
  return html`<span class="swatch" data-condition="${index % 8}" aria-hidden="true"></span>`;
}

export function header(report: Report, conditions: readonly ConditionSummary[]): Html {
  const runs = new Set([...report.subjects, ...report.training].map(({ run }) => run)).size;
  const count = (n: number, one: string, many: string) => `${grouped(n)} ${n === 1 ? one : many}`;
  const lede = `${count(report.subjects.length, 'checkpoint', 'checkpoints')} of ${count(runs, 'run', 'runs')} in ${count(conditions.length, 'condition', 'conditions')}, examined by ${count(Object.keys(report.modules).length, 'module', 'modules')}.`;
  return html`<header class="masthead">
    <p class="kicker">sumlens report</p>
    <h1>${report.title}</h1>
    <p class="lede">${lede}</p>
  </header>`;
}

export function compared(conditions: readonly ConditionSummary[]): Html {
  if (conditions.length === 0) {
    return html`<section aria-labelledby="compared">
      <h2 id="compared">What was compared</h2>
      <p>No run was given, so there is nothing to compare.</p>
    </section>`;
  }
  const operations = [...new Set(conditions.flatMap((c) => c.operations.map(({ operation }) => operation)))];
  const rows = conditions.map(
    (condition, i) =>
      html`<tr>
        <th scope="row">${swatch(i)}${condition.label}</th>
        <td class="number">${span(condition.parameters)}</td>
        <td class="number">${condition.seeds.length}<span class="aside">${ranges(condition.seeds)}</span></td>
        <td class="number">${span(condition.steps)}</td>
        ${operations.map((operation) => learnedCell(condition, operation))}
      </tr>`,
  );
  const diverged = conditions.filter((condition) => condition.diverged > 0);
  return html`<section aria-labelledby="compared">
    <h2 id="compared">What was compared</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Conditions">
      <table class="conditions">
        <thead>
          <tr>
            <th scope="col">Condition</th>
            <th scope="col" class="number">Parameters</th>
            <th scope="col" class="number">Seeds</th>
            <th scope="col" class="number">Step</th>
            ${operations.map((operation) => html`<th scope="col" class="number">${operation} learned</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
    <p class="note">
      Learned: accuracy on result tokens of at least 95 % at the last two evaluations, greedy; below it the
      lowest and highest accuracy over seeds.
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
    ${learned} of ${runs}<span class="aside">${low === high ? low : `${low} \u2013 ${high}`}</span>
  </td>`;
}

/** The findings of one claim part, over all modules. */
function findingsOf(report: Report, part: string): { readonly module: string; readonly finding: Finding }[] {
  return Object.entries(report.modules).flatMap(([module, { findings }]) =>
    findings.filter((finding) => finding.claim === part).map((finding) => ({ module, finding })),
  );
}

export function claims(report: Report, anchors: ReadonlyMap<string, string>): Html {
  const known = new Set<string>([...CLAIM_PART_IDS, ...CLAIMS.map(({ id }) => id)]);
  const foreign = Object.values(report.modules)
    .flatMap(({ findings }) => findings)
    .filter(({ claim }) => claim !== undefined && !known.has(claim));
  return html`<section aria-labelledby="claims">
    <h2 id="claims">Claims of the paper</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Claims">
      <table class="claims">
        <thead>
          <tr>
            <th scope="col">Claim</th>
            <th scope="col">Verdict</th>
            <th scope="col">Statistic</th>
            <th scope="col" class="number">Smallest effect</th>
            <th scope="col">Reason</th>
          </tr>
        </thead>
        ${CLAIMS.map((claim) => claimRows(claim, report, anchors))}
      </table>
    </div>
    ${foreign.map((finding) => html`<p class="note">Finding ${finding.id} names the claim ${finding.claim}, which claims.json does not have.</p>`)}
    <p class="note">
      Statistics, smallest effects and rules were fixed before the runs (claims.json, SHA-256
      ${report.provenance.claimsSha256.slice(0, 12)}). Claims are those of the abstract of arXiv 2505.18369.
    </p>
  </section>`;
}

function claimRows(claim: Claim, report: Report, anchors: ReadonlyMap<string, string>): Html {
  const parts = claim.parts.flatMap((part): Html[] => {
    const found = findingsOf(report, part.id);
    const effect = html`<td class="number">${smallestEffect(part)}</td>`;
    if (found.length === 0) {
      return [
        html`<td><span class="verdict" data-verdict="none">not examined</span></td>
          <td>${partName(claim, part)}<span class="statistic">${part.statistic}</span></td>
          ${effect}
          <td>No module of this report measures it.</td>`,
      ];
    }
    return found.map(({ module, finding }) => {
      const anchor = anchors.get(module);
      const where =
        anchor === undefined ? undefined : html` <a href="#${anchor}">${report.modules[module].title}</a>`;
      return html`<td>
          ${finding.verdict === undefined ? html`<span class="verdict" data-verdict="none">no verdict</span>` : verdictBadge(finding.verdict)}
        </td>
        <td>
          ${partName(claim, part)}${estimateText(finding)}<span class="statistic">${finding.statistic}</span>
        </td>
        ${effect}
        <td>${sentence(finding.reason)}${where}</td>`;
    });
  });
  const rows = [...wholeClaim(claim, report), ...parts];
  const name = html`<th scope="rowgroup" rowspan="${rows.length}">
    <span class="claim-id">${claim.id}</span> ${claim.text}
  </th>`;
  return html`<tbody>
    ${rows.map(
      (cells, i) =>
        html`<tr>
          ${i === 0 ? name : undefined}${cells}
        </tr>`,
    )}
  </tbody>`;
}

/** A claim of several parts: the verdict on all of them together. */
function wholeClaim(claim: Claim, report: Report): Html[] {
  if (claim.parts.length === 1) return [];
  return findingsOf(report, claim.id).flatMap(({ finding: { verdict, reason } }) =>
    verdict === undefined
      ? []
      : [
          html`<td>${verdictBadge(verdict)}</td>
            <td><span class="part">${claim.id}</span> its parts together</td>
            <td></td>
            <td>${sentence(reason)}</td>`,
        ],
  );
}

function partName(claim: Claim, part: ClaimPart): Part {
  return claim.parts.length > 1 ? html`<span class="part">${part.id}</span> ` : undefined;
}

/** `0.42 [0.31, 0.53] octaves` with the level of the interval. */
export function estimateText(finding: Finding): Html {
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

function smallestEffect({ id, unit }: ClaimPart): string {
  const { rule } = claimPart(id);
  const named = (value: number) => `${readable(value)} ${unitText(unit, value)}`.trim();
  switch (rule.kind) {
    case 'effect':
      return named(rule.delta);
    case 'below':
      return `below ${named(rule.limit)}`;
    case 'index':
      return `above ${named(rule.above)}`;
    case 'explained':
      return `at most ${named(rule.within)}`;
  }
}

/** First letter large, full stop at the end. */
export function sentence(text: string | undefined): string {
  if (text === undefined || text === '') return '';
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}
