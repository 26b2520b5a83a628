/**
 * The pages of a static site beside its reports: the first page and the playground's own. Every link is relative, nothing is
 * stored, and each page is one file, so that any web server serves it under any path, and so does a disk. Pure.
 */
import { CLAIMS } from '../evidence/claims-file.js';
import { grouped } from '../evidence/results.js';
import { verdictBadge } from './page/first-screen.js';
import { type OfflineDocument, offlineDocument } from './page/document.js';
import { type Html, html } from './page/html.js';
import { type PagePlayground, playgroundData, playgroundRoot } from './page/playground.js';
import type { ReportRuntime } from './page.js';
import type { Report } from './schema.js';

export interface SiteReport {
  /** folder below `reports` */
  readonly name: string;
  readonly report: Report;
}

/** What was saved from the page of a comparison, as it is. */
export interface SiteComparison {
  /** folder below `reports` */
  readonly name: string;
  readonly title: string;
  readonly checkpoints: number;
  readonly conditions: number;
}

export interface SiteIndex {
  readonly title: string;
  /** the result of the paper's claims, which stands first; absent: none */
  readonly paper?: SiteReport;
  readonly reports: readonly SiteReport[];
  readonly comparisons: readonly SiteComparison[];
  /** labels of the models of the playground; empty: the site has none */
  readonly models: readonly string[];
}

/** As the system says: a page that stores nothing cannot keep a choice. */
const THEME =
  "const dark=matchMedia('(prefers-color-scheme: dark)');const show=()=>{document.documentElement.dataset.theme=dark.matches?'dark':'light'};show();dark.addEventListener('change',show);";

const CARDS = `
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(21rem,100%),1fr));gap:1.2rem;margin-top:1.2rem}
.card{padding:1rem 1.2rem;border:1px solid var(--line);border-radius:8px;min-width:0}
.card h3{margin:0 0 .3rem}
.card p{margin:0 0 .4rem}
.card ul{display:flex;flex-wrap:wrap;gap:.4rem .9rem;margin:.5rem 0 0;padding:0;list-style:none;font-size:.9rem}
`;

/** @returns the whole file; UTF-8 */
export function renderSiteIndex(index: SiteIndex, runtime: Pick<ReportRuntime, 'styles'>): string {
  const { title, paper, reports, comparisons, models } = index;
  const main = html`<header class="masthead">
      <p class="kicker">sumlens</p>
      <h1>${title}</h1>
      <p class="lede">How small transformers compute, trained on one operation and on several.</p>
    </header>
    ${
      models.length === 0
        ? undefined
        : html`<section aria-labelledby="playground">
            <h2 id="playground">Playground</h2>
            <p>
              <a href="playground/index.html">Ask a model</a>: it reduces an expression in this browser, and
              shows what it looks at, what each part adds, and what happens without it. Here:
              ${models.join('; ')}.
            </p>
          </section>`
    }
    ${
      paper === undefined
        ? undefined
        : html`<section aria-labelledby="paper">
            <h2 id="paper">The claims of the paper</h2>
            <div class="cards">${card(paper)}</div>
          </section>`
    }
    ${
      reports.length === 0
        ? undefined
        : html`<section aria-labelledby="reports">
            <h2 id="reports">Reports</h2>
            <div class="cards">${reports.map(card)}</div>
          </section>`
    }
    ${
      comparisons.length === 0
        ? undefined
        : html`<section aria-labelledby="comparisons">
            <h2 id="comparisons">Comparisons</h2>
            <div class="cards">
              ${comparisons.map(
                ({ name, title, checkpoints, conditions }) =>
                  html`<article class="card">
                    ${cardHead(name, title, checkpoints, conditions, 'comparison.json')}
                  </article>`,
              )}
            </div>
          </section>`
    }`;
  const styles = `${runtime.styles.trim()}${CARDS}`;
  return page({ title, styles, main, data: [], scripts: [THEME], hasWebAssembly: false });
}

/** @returns the whole file; UTF-8 */
export function renderSitePlayground(
  title: string,
  playground: PagePlayground,
  runtime: Pick<ReportRuntime, 'styles'>,
): string {
  const main = html`<header class="masthead">
      <p class="kicker"><a href="../index.html">${title}</a></p>
      <h1>Playground</h1>
      <p class="lede">
        Type an expression, see the model reduce it, and switch off what it does it with. Everything is
        computed in this page.
      </p>
    </header>
    <h2 class="pg-hidden">Models and their answers</h2>
    ${playgroundRoot()}`;
  return page({
    title: `Playground - ${title}`,
    styles: `${runtime.styles.trim()}\n${playground.runtime.styles.trim()}`,
    main,
    data: [playgroundData(playground)],
    scripts: [THEME, playground.runtime.script],
    hasWebAssembly: true,
  });
}

function card({ name, report }: SiteReport): Html {
  const { title, subjects, claims } = report;
  const conditions = [...new Set(subjects.map(({ label }) => label))];
  const known = claims.filter(({ claim }) => CLAIMS.some(({ id }) => id === claim));
  return html`<article class="card">
    ${cardHead(name, title, subjects.length, conditions.length, 'report.json')}
    ${
      report.kind === 'claims' && known.length > 0
        ? html`<ul aria-label="Verdicts">
            ${known.map(({ claim, part, verdict }) => html`<li>${part ?? claim} ${verdictBadge(verdict)}</li>`)}
          </ul>`
        : undefined
    }
  </article>`;
}

function cardHead(name: string, title: string, checkpoints: number, conditions: number, data: string): Html {
  return html`<h3><a href="reports/${name}/index.html">${title}</a></h3>
    <p>
      ${grouped(checkpoints)} ${checkpoints === 1 ? 'checkpoint' : 'checkpoints'} in ${grouped(conditions)}
      ${conditions === 1 ? 'condition' : 'conditions'};
      <a href="reports/${name}/${data}" download="${name}.json">data</a>
    </p>`;
}

interface Page extends Pick<OfflineDocument, 'title' | 'styles' | 'data' | 'scripts' | 'hasWebAssembly'> {
  readonly main: Html;
}

function page({ main, ...rest }: Page): string {
  const body = html`<main id="main">${main}</main>`;
  return offlineDocument({ ...rest, body, skip: 'Skip to the page', images: 'data:' });
}
