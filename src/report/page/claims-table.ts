/** The claims as a compact table: verdict, one number with its interval, one clause. Details fold away. */
import { type Claim, claimPart, CLAIMS } from '../../evidence/claims-file.js';
import type { ClaimResult } from '../../evidence/claims.js';
import { VERDICT } from '../../evidence/verdict.js';
import { readable } from '../charts/common.js';
import type { Report } from '../schema.js';
import { estimateText, sentence, verdictBadge } from './first-screen.js';
import { html, type Html } from './html.js';
import { minus, unitText } from './numbers.js';
import { numeric, scrollTable } from './table.js';

/** @param short - only claims of which a part is decided get a row; the others fold into one line */
export function claimsTable(report: Report, short: boolean): Html {
  const decided = (claim: Claim): boolean =>
    report.claims.some(
      (result) => result.claim === claim.id && result.part !== undefined && result.verdict !== VERDICT.tooFew,
    );
  const shown = short ? CLAIMS.filter(decided) : CLAIMS;
  const folded = CLAIMS.filter((claim) => !shown.includes(claim));
  return html`<section aria-labelledby="claims">
    <h2 id="claims">${short ? 'Claims under test' : 'Claims of the paper, and our own'}</h2>
    ${shown.length === 0 ? undefined : table(shown, report, 'Claims')}
    ${
      folded.length === 0
        ? undefined
        : html`<details class="folded-claims">
            <summary>
              ${folded.length} ${folded.length === 1 ? 'claim needs' : 'claims need'} other runs than these to
              be decided: ${folded.map(({ id }) => id).join(', ')}
            </summary>
            ${table(folded, report, 'Claims that need more runs')}
          </details>`
    }
    <p class="note">
      Where a claim is decided, its statistic, smallest effect and rule were fixed before the runs
      (claims.json, SHA-256 ${report.provenance.claimsSha256.slice(0, 12)}). C1 to C6 are those of the
      abstract of arXiv 2505.18369, M1 to M4 our own. An estimate can look large and its verdict still be
      open: a verdict is about the whole interval, and only with enough seeds.
    </p>
  </section>`;
}

function table(claims: readonly Claim[], report: Report, label: string): Html {
  return scrollTable(label, ['Claim', 'Verdict', 'Estimate', numeric('Smallest effect'), 'Why'], {
    bodies: claims.map((claim) => claimRows(claim, report)),
    kind: 'claims',
  });
}

function claimRows(claim: Claim, report: Report): Html {
  const results = report.claims.filter((result) => result.claim === claim.id);
  const name = html`<th scope="rowgroup" rowspan="${Math.max(1, results.length)}">
    <span class="claim-id">${claim.id}</span> ${claim.text}
  </th>`;
  return html`<tbody>
    ${results.map(
      (result, i) =>
        html`<tr>
          ${i === 0 ? name : undefined}
          <td>
            ${verdictBadge(result.verdict)}${result.interim ? html` <span class="interim">interim</span>` : undefined}
          </td>
          <td>${result.part === undefined ? 'its parts together' : estimateOf(result)}</td>
          <td class="number">${result.part === undefined ? '' : smallestEffect(result.part)}</td>
          <td>${why(result)}</td>
        </tr>`,
    )}
  </tbody>`;
}

function estimateOf({ part = '', unit, estimate, bound, interval }: ClaimResult): Html {
  const { name } = claimPart(part);
  const beyond =
    bound === undefined
      ? undefined
      : html`<span class="estimate"
            >${bound.side === 'above' ? '>' : '<'} ${minus(readable(bound.value))}</span
          >
          ${unitText(unit)}`;
  const shown = {
    unit,
    ...(estimate === undefined ? {} : { estimate }),
    ...(interval === undefined ? {} : { interval }),
  };
  return html`<span class="part">${part}</span> ${name}: ${beyond ?? estimateText(shown)}`;
}

/** One clause, and the rest on demand. */
function why({ part, statistic, place, reason, notes, counts }: ClaimResult): Html {
  const counted = counts.map(
    ({ condition, usable, runs, planned }) =>
      `${condition}: ${usable} of ${runs} runs count, ${planned} planned`,
  );
  const more = [...(part === undefined ? [] : [statistic, place]), ...counted, ...notes];
  return html`${sentence(reason)}${
    more.length === 0
      ? undefined
      : html`<details class="why">
          <summary>details</summary>
          <ul>
            ${more.map((one) => html`<li>${sentence(one)}</li>`)}
          </ul>
        </details>`
  }`;
}

function smallestEffect(id: string): string {
  const { rule, unit } = claimPart(id);
  const named = (value: number) => `${readable(value)} ${unitText(unit, value)}`.trim();
  switch (rule.kind) {
    case 'effect':
      return rule.delta === 0 ? 'above 0' : named(rule.delta);
    case 'below':
      return `below ${named(rule.limit)}`;
    case 'index':
      return `above ${named(rule.above)}`;
    case 'explained':
      return `within ${named(rule.within)}`;
  }
}
