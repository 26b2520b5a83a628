/**
 * The report page: one self-contained HTML file, a pure function of the report and of the bundled runtime, so that equal
 * input gives equal bytes. No network, no storage, and a content policy that lets nothing run but what is hashed here.
 */
import { createHash } from 'node:crypto';
import { REPORT_CHARTS } from './charts/index.js';
import type { ChartSpec, Report } from './schema.js';
import { CONDITION_COLORS, THEME_NAMES } from './theme.js';
import { byText, conditionLabels, summariseConditions } from './page/conditions.js';
import { figure } from './page/figure.js';
import { claims, compared, header } from './page/first-screen.js';
import { html, Html, plainText, scriptJson } from './page/html.js';
import { moduleSection } from './page/module-section.js';
import { provenance } from './page/provenance.js';

/** Script and styles that src/setup/build-report.mjs makes. */
export interface ReportRuntime {
  readonly script: string;
  readonly styles: string;
}

/** What the runtime needs besides the specifications. */
export interface PageSettings {
  readonly conditions: readonly string[];
}

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('base64');

/** @returns the whole file; UTF-8 */
export function renderReport(report: Report, runtime: ReportRuntime): string {
  const labels = conditionLabels(report);
  const styles = `${runtime.styles.trim()}\n${conditionStyles()}`;
  const script = runtime.script.replaceAll('</script', '<\\/script').trim();
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${sha256(script)}'`,
    `style-src 'sha256-${sha256(styles)}'`,
    'img-src data: blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const settings: PageSettings = { conditions: labels.map(plainText) };
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${report.title}</title>
        ${new Html(`<style>${styles}</style>`)}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the report</a>
        ${body(report)} ${scriptJson('settings', settings)} ${new Html(`<script>${script}</script>`)}
      </body>
    </html> `;
  return page.text;
}

interface Section {
  readonly anchor: string;
  readonly title: string;
  readonly body: Html;
}

/** The module about training outcomes follows the training curves; the others come by name. */
const LEARNING = 'learning';

function body(report: Report): Html {
  const conditions = summariseConditions(report);
  const names = Object.keys(report.modules).sort(
    (a, b) => Number(b === LEARNING) - Number(a === LEARNING) || byText(a, b),
  );
  // anchors by position: a name may hold anything
  const anchors = new Map(names.map((name, i) => [name, `m${i + 1}`]));
  const headlines = names.flatMap((name) =>
    report.modules[name].charts.filter(({ headline }) => headline === true),
  );
  const anchorOf = (chart: ChartSpec) => {
    const at = headlines.indexOf(chart);
    return at < 0 ? undefined : `h${at + 1}`;
  };
  const modules = names.map((name): Section => {
    const anchor = anchors.get(name) ?? '';
    const module = report.modules[name];
    return { anchor, title: module.title, body: moduleSection(name, module, anchor, anchorOf) };
  });
  const sections = [...trainingSection(report), ...modules];
  return html`<div class="page">
    <nav aria-label="Sections">
      <div class="nav-inner">
        <div class="links">
          <a href="#claims">Claims</a>
          ${sections.map(({ anchor, title }) => html`<a href="#${anchor}">${title}</a>`)}
          <a href="#provenance">Provenance</a>
        </div>
        <span class="tools" hidden
          ><button type="button" id="theme" aria-pressed="false">Dark</button
          ><button type="button" id="print">Print</button></span
        >
      </div>
    </nav>
    <main id="main">
      ${header(report, conditions)} ${compared(conditions)} ${claims(report)}
      ${
        headlines.length === 0
          ? undefined
          : html`<section aria-labelledby="headlines">
              <h2 id="headlines">At a glance</h2>
              <div class="charts headlines">${headlines.map((chart, i) => figure(chart, `h${i + 1}`))}</div>
            </section>`
      }
      ${sections.map((section) => section.body)} ${provenance(report)}
    </main>
  </div>`;
}

function trainingSection(report: Report): Section[] {
  if (report.training.length === 0) return [];
  const charts: ChartSpec[] = REPORT_CHARTS.map((build) => build(report.training));
  const text = html`<section class="module" aria-labelledby="training">
    <h2 id="training">Training</h2>
    <p class="question">When does each model learn each operation, and how far does it get?</p>
    <div class="charts">${charts.map((chart, i) => figure(chart, `training-c${i + 1}`))}</div>
  </section>`;
  return [{ anchor: 'training', title: 'Training', body: text }];
}

/** Colours of the swatches, one rule a condition and theme: inline styles would need a weaker policy. */
function conditionStyles(): string {
  return THEME_NAMES.flatMap((theme) =>
    CONDITION_COLORS[theme].map(
      (color, i) => `:root[data-theme='${theme}'] .swatch[data-condition='${i}']{background:${color}}`,
    ),
  ).join('\n');
}
