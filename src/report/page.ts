/**
 * The report page: one self-contained HTML file, a pure function of the report and of the bundled runtime, so that equal
 * input gives equal bytes. No network, no storage, and a content policy that lets nothing run but what is hashed here.
 */
import { compareText } from '../evidence/conditions.js';
import type { Evidence } from '../evidence/evidence.js';
import { CONDITION_COLORS, THEME_NAMES } from '../palette.js';
import { REPORT_CHARTS } from './charts/index.js';
import { evidenceOfReport } from './evidence-of-report.js';
import type { ChartSpec, Report } from './schema.js';
import { conditionLabels, sortedSubjects, summariseConditions, LEARNING } from './page/conditions.js';
import { type Answer, answer } from './page/answer.js';
import { besideSection, besideSentence } from './page/beside.js';
import { claimsTable } from './page/claims-table.js';
import { allDifferences, differenceForest, differenceMaps } from './page/differences.js';
import { offlineDocument } from './page/document.js';
import { exportDialog } from './page/export-dialog.js';
import { figure, figures } from './page/figure.js';
import { compared, header } from './page/first-screen.js';
import { glossary, withTerms } from './page/glossary.js';
import { html, Html, plainText, scriptJson } from './page/html.js';
import { moduleSection } from './page/module-section.js';
import { type OverTraining, overTraining } from './page/over-training.js';
import { type PagePlayground, playgroundData, playgroundSection } from './page/playground.js';
import { provenance } from './page/provenance.js';
import { unlearnedSection } from './page/unlearned.js';

/** Script and styles that src/setup/build-report.mjs makes. */
export interface ReportRuntime {
  readonly script: string;
  readonly styles: string;
}

/** What the runtime needs besides the specifications. */
export interface PageSettings {
  readonly conditions: readonly string[];
}

/**
 * @param playground - models that the reader can ask
 * @returns the whole file; UTF-8
 */
export function renderReport(report: Report, runtime: ReportRuntime, playground?: PagePlayground): string {
  const labels = conditionLabels(report);
  const added = playground === undefined ? [] : [playground];
  const styles = [
    runtime.styles.trim(),
    conditionStyles(),
    ...added.map((own) => own.runtime.styles.trim()),
  ].join('\n');
  const settings: PageSettings = { conditions: labels.map(plainText) };
  return offlineDocument({
    title: report.title,
    skip: 'Skip to the report',
    styles,
    scripts: [runtime, ...added.map((own) => own.runtime)].map(({ script }) => script),
    data: [scriptJson('settings', settings), ...added.map(playgroundData)],
    body: body(report, added.length > 0),
    images: 'data: blob:',
    hasWebAssembly: added.length > 0,
  });
}

interface Section {
  readonly anchor: string;
  readonly title: string;
  readonly body: Html;
}

/** Pictures that stand open on the whole page; the others fold away under "More". */
const OPEN_CHARTS = 12;
/** Pictures of training that stand open: accuracy over steps, and at the end. */
const OPEN_TRAINING = 2;
/** Pictures of numbers over steps that stand open. */
const OPEN_STEPS = 4;

/** The same whatever order subjects, records and modules came in. */
export function inOrder(report: Report): Report {
  return {
    ...report,
    subjects: sortedSubjects(report),
    training: [...report.training].sort((a, b) => compareText(a.run, b.run)),
    modules: Object.fromEntries(Object.entries(report.modules).sort(([a], [b]) => compareText(a, b))),
  };
}

function body(given: Report, hasPlayground: boolean): Html {
  const report = inOrder(given);
  const evidence = evidenceOfReport(report);
  const conditions = summariseConditions(report);
  const first = answer(report, evidence);
  const onTop = new Set(first.charts);
  const where = report.kind === 'comparison' ? differenceMaps(evidence) : { charts: [], sentence: undefined };
  const names = Object.keys(report.modules).sort(
    (a, b) => Number(b === LEARNING) - Number(a === LEARNING) || compareText(a, b),
  );
  const training = trainingSection(report);
  const steps = overTraining(report, evidence, LEARNING);
  const left =
    OPEN_CHARTS -
    first.charts.length -
    where.charts.length -
    Math.min(OPEN_STEPS, steps.charts.length) -
    Math.min(OPEN_TRAINING, training.charts);
  const withCharts = names.filter((name) => report.modules[name].charts.some((chart) => !onTop.has(chart)));
  const modules = names.map((name, i): Section => {
    // a name may hold anything
    const anchor = /^[a-z][a-z0-9-]*$/.test(name) ? `module-${name}` : `m${i + 1}`;
    const place = withCharts.indexOf(name);
    const open = place < 0 ? 0 : Math.max(0, Math.ceil((left - place) / withCharts.length));
    const anchorOf = (chart: ChartSpec) =>
      onTop.has(chart) ? `top-${first.charts.indexOf(chart) + 1}` : undefined;
    const { title } = report.modules[name];
    return { anchor, title, body: moduleSection(name, report.modules[name], anchor, anchorOf, open) };
  });
  const differences = report.kind === 'comparison' ? differenceSection(evidence, where) : undefined;
  const claims = claimsTable(report, report.kind === 'comparison');
  const playground = { anchor: 'playground', title: 'Playground', body: playgroundSection() };
  const sections = [...training.sections, ...modules, ...(hasPlayground ? [playground] : [])];
  return html`<div class="page">
    <nav aria-label="Sections">
      <div class="nav-inner">
        <div class="links">
          ${steps.charts.length === 0 ? undefined : html`<a href="#steps">Over steps</a>`}
          ${differences === undefined ? undefined : html`<a href="#differences">Differences</a>`}
          <a href="#claims">Claims</a>
          ${sections.map(({ anchor, title }) => html`<a href="#${anchor}">${title}</a>`)}
          <a href="#glossary">Terms</a> <a href="#provenance">Provenance</a>
        </div>
        <span class="tools" hidden
          ><button type="button" id="theme" aria-pressed="false">Dark</button
          ><button type="button" id="print">Print</button></span
        >
      </div>
    </nav>
    <main id="main">
      ${header(report, conditions)} ${answerSection(first, besideSentence(report))} ${besideSection(report)}
      ${report.kind === 'claims' ? claims : undefined} ${compared(conditions)}
      ${unlearnedSection(report, evidence)} ${stepsSection(steps)} ${differences}
      ${report.kind === 'comparison' ? claims : undefined} ${sections.map((section) => section.body)}
      ${glossary()} ${provenance(report)}
    </main>
    ${exportDialog()}
  </div>`;
}

/** What was found in plain words, and the pictures that show it. */
function answerSection({ sentences, charts }: Answer, beside: Html | undefined): Html {
  return html`<section class="answer" aria-labelledby="answer">
    <h2 id="answer">In short</h2>
    ${sentences.map((sentence) => html`<p>${withTerms(sentence)}</p>`)} ${beside}
    <div class="charts headlines">${charts.map((chart, i) => figure(chart, `top-${i + 1}`))}</div>
  </section>`;
}

function stepsSection({ charts, onsets }: OverTraining): Html | undefined {
  if (charts.length === 0) return undefined;
  return html`<section class="module" aria-labelledby="steps">
    <h2 id="steps">Over training</h2>
    <p class="question">When does each number rise, and does it rise with the accuracy?</p>
    ${onsets} ${figures(charts, 'steps', OPEN_STEPS)}
  </section>`;
}

function differenceSection(
  evidence: Evidence,
  { charts, sentence }: ReturnType<typeof differenceMaps>,
): Html | undefined {
  const all = allDifferences(evidence);
  if (all.length === 0) return undefined;
  const forest = differenceForest(evidence);
  return html`<section class="module" aria-labelledby="differences">
    <h2 id="differences">Where they differ</h2>
    ${charts.length === 0 || sentence === undefined ? undefined : html`<p class="question">${sentence}</p>`}
    ${charts.length === 0 ? undefined : html`<div class="charts">${charts.map((chart, i) => figure(chart, `difference-map-${i + 1}`))}</div>`}
    <details class="more">
      <summary>More: all ${all.length} differences by size</summary>
      <div class="charts">${figure(forest, 'differences-forest')}</div>
    </details>
  </section>`;
}

function trainingSection(report: Report): { readonly sections: readonly Section[]; readonly charts: number } {
  if (report.training.length === 0) return { sections: [], charts: 0 };
  const charts: ChartSpec[] = REPORT_CHARTS.map((build) => build(report.training));
  const text = html`<section class="module" aria-labelledby="training">
    <h2 id="training">Training</h2>
    <p class="question">When does each model learn each operation, and how far does it get?</p>
    ${figures(charts, 'training', OPEN_TRAINING)}
  </section>`;
  return { sections: [{ anchor: 'training', title: 'Training', body: text }], charts: charts.length };
}

/** Colours of the swatches, one rule a condition and theme: inline styles would need a weaker policy. */
function conditionStyles(): string {
  return THEME_NAMES.flatMap((theme) =>
    CONDITION_COLORS[theme].map(
      (color, i) => `:root[data-theme='${theme}'] .swatch[data-condition='${i}']{background:${color}}`,
    ),
  ).join('\n');
}
