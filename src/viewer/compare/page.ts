/** The page of a comparison as one file: what it shows lies in it, and it asks nothing of anybody. Pure. */
import { packageVersion } from '../../io/package-root.js';
import { offlineDocument } from '../../report/page/document.js';
import { html, scriptJson } from '../../report/page/html.js';
import { PAGE_DATA, PAGE_ROOT, type SavedComparison } from '../contract/compare.js';

export interface PageRuntime {
  readonly script: string;
  readonly styles: string;
}

/** @returns the whole file; UTF-8 */
export function comparisonPage(saved: SavedComparison, { script, styles }: PageRuntime): string {
  const { title, comparison } = saved;
  const body = html`<main id="main" tabindex="-1">
    <div class="compare">
      <h1>${title}</h1>
      <div id="${PAGE_ROOT}">
        <p>
          ${comparison.checkpoints.length} checkpoints of ${comparison.conditions.length} conditions. What the
          page shows is drawn by its script, which does not run here.
        </p>
      </div>
      <p class="muted small">Saved by sumlens ${packageVersion()}.</p>
    </div>
  </main>`;
  return offlineDocument({
    title,
    skip: 'Skip to content',
    styles: styles.trim(),
    scripts: [script],
    data: [scriptJson(PAGE_DATA, saved)],
    body,
    images: 'data:',
    hasWebAssembly: false,
  });
}
