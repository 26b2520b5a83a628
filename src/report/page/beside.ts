/** The verdicts of another plan of runs, beside those of the runs of the page: marked as such, with a link to its own report. */
import { CLAIMS } from '../../evidence/claims-file.js';
import { decidedInWords } from '../../evidence/plan-verdicts.js';
import { VERDICT } from '../../evidence/verdict.js';
import type { Report } from '../schema.js';
import { verdictBadge } from './first-screen.js';
import { html, type Html } from './html.js';
import { grouped } from '../../evidence/results.js';

/** Its verdicts in one sentence, for the first screen. Nothing where the report names no other plan, or that one decided nothing. */
export function besideSentence({ beside }: Report): Html | undefined {
  if (beside === undefined) return undefined;
  const { plan, runs, finished, parts, href } = beside;
  const decided = decidedInWords(parts);
  if (decided === '') return undefined;
  return html`<p class="beside">
    Not from these runs, but from ${runsText(runs, finished)} of
    <a href="${href}">the shipped plan ${plan}</a>: ${decided}.
  </p>`;
}

const runsText = (runs: number, finished: number): string =>
  `${finished < runs ? `${grouped(finished)} of ${grouped(runs)}` : grouped(runs)} runs`;

/** Nothing where the report names no other plan. */
export function besideSection({ beside, claims }: Report): Html | undefined {
  if (beside === undefined) return undefined;
  const { plan, runs, finished, parts, href } = beside;
  const badge = (verdict: Parameters<typeof verdictBadge>[0], interim: boolean): Html =>
    html`${verdictBadge(verdict)}${interim ? html` <span class="interim">interim</span>` : undefined}`;
  const shown = CLAIMS.flatMap(({ id, text, parts: all }) =>
    all.flatMap(({ id: part, name }) => {
      const there = parts.find((one) => one.part === part);
      const here = claims.find((one) => one.part === part);
      const words = `${text}${all.length > 1 ? ` (${name})` : ''}`;
      return there === undefined ? [] : [{ id, part, words, there, here }];
    }),
  );
  const decided = shown.filter(
    ({ there, here }) =>
      there.verdict !== VERDICT.tooFew || (here !== undefined && here.verdict !== VERDICT.tooFew),
  );
  return html`<section class="module beside" aria-labelledby="beside">
    <h2 id="beside">From the shipped plan ${plan}, not from these runs</h2>
    <p class="question">
      ${runsText(runs, finished)} that were planned for these claims came with the package:
      <a href="${href}">the report of the plan ${plan}</a>. Its verdicts stand on the left; those of the runs
      of this page, which are far fewer, on the right.
    </p>
    ${
      decided.length === 0
        ? html`<p>No claim is decided yet.</p>`
        : html`<div class="scroll" tabindex="0" role="region" aria-label="Verdicts of the shipped plan">
            <table>
              <thead>
                <tr>
                  <th scope="col">Claim</th>
                  <th scope="col">Shipped plan ${plan}</th>
                  <th scope="col">Its runs</th>
                  <th scope="col">These runs</th>
                </tr>
              </thead>
              <tbody>
                ${decided.map(
                  ({ part, words, there, here }) =>
                    html`<tr>
                      <th scope="row"><span class="claim-id">${part}</span> ${words}</th>
                      <td>${badge(there.verdict, there.interim)}</td>
                      <td class="number">${grouped(there.finished)} of ${grouped(there.runs)}</td>
                      <td>${here === undefined ? '' : badge(here.verdict, here.interim)}</td>
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`
    }
    ${
      decided.length < shown.length
        ? html`<p class="note">
            Undecided in both:
            ${shown
              .filter((one) => !decided.includes(one))
              .map(({ part }) => part)
              .join(', ')}.
          </p>`
        : undefined
    }
  </section>`;
}
