/** Entry of a saved comparison: one file that holds its numbers, asks nobody, and keeps nothing anywhere. */
import { signal } from '@preact/signals';
import { render } from 'preact';
import { PAGE_DATA, PAGE_ROOT, type SavedComparison } from '../../contract/compare.js';
import { conditionColors, plural } from '../format.js';
import type { ChangeView } from '../parts/compare/change-view.js';
import { ModuleList } from '../parts/compare/modules.js';
import { RunsTable } from '../parts/compare/runs-table.js';
import { ComparisonView } from '../parts/compare/view.js';
import { type Query, queryOf, queryText } from '../query.js';

/** What the page shows is said after the `#` of its address, which can be kept or sent. */
const shown = signal<Query>(queryOf(location.hash.slice(1)));

addEventListener('hashchange', () => (shown.value = queryOf(location.hash.slice(1))));

const change: ChangeView = (changes) => {
  const next = Object.entries({ ...shown.value, ...changes }).filter(
    (pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== '',
  );
  shown.value = Object.fromEntries(next);
  try {
    history.replaceState(history.state, '', `#${queryText(shown.value)}`);
  } catch {
    // a host may forbid it to a page in a sandbox, or so often: the page works on without it
  }
};

function Saved({ comparison, planes }: SavedComparison) {
  const { runs, checkpoints, others } = comparison;
  return (
    <ComparisonView
      comparison={comparison}
      planes={planes}
      query={shown.value}
      change={change}
      head={
        <section aria-labelledby="chosen-title">
          <h2 id="chosen-title">
            {plural(runs.length, 'run')}, {plural(checkpoints.length, 'checkpoint')}
          </h2>
          <RunsTable comparison={comparison} />
          {others.length > 0 && (
            <p class="muted small">
              Not chosen, and of the same conditions: {others.map(({ label }) => label).join(', ')}.
            </p>
          )}
        </section>
      }
      measured={
        <section class="card work" aria-labelledby="work-title">
          <h2 id="work-title">Measured</h2>
          <ModuleList {...comparison} />
        </section>
      }
    />
  );
}

const root = document.getElementById(PAGE_ROOT);
const data = document.getElementById(PAGE_DATA)?.textContent;
if (root !== null && data !== undefined && data !== null) {
  const colors = new CSSStyleSheet();
  colors.replaceSync(conditionColors());
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, colors];
  root.replaceChildren();
  // written by the program that wrote this script
  render(<Saved {...(JSON.parse(data) as SavedComparison)} />, root);
}
