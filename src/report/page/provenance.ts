/** End of the page: configurations, engines, data notes, hashes, and how to get the same report again. */
import { compareText } from '../../evidence/conditions.js';
import { shellWord } from '../../io/shell-word.js';
import { canonicalJson } from '../../io/json.js';
import type { Json, Report, Subject } from '../schema.js';
import { sortedSubjects } from './conditions.js';
import { html, type Html } from './html.js';
import { numeric, scrollTable } from './table.js';

export function provenance(report: Report): Html {
  const { version, claimsSha256, command, configs, engines, dataNotes } = report.provenance;
  const subjects = sortedSubjects(report);
  const runs = [...new Set([...Object.keys(configs), ...Object.keys(engines)])].sort(compareText);
  return html`<section aria-labelledby="provenance" class="provenance">
    <h2 id="provenance">Provenance</h2>
    <dl>
      <dt>sumlens</dt>
      <dd>${version}</dd>
      <dt>Claims</dt>
      <dd><code>${claimsSha256}</code></dd>
    </dl>
    ${
      dataNotes.length === 0
        ? undefined
        : html`<h3>Data</h3>
            <ul>
              ${dataNotes.map((note) => html`<li>${note}</li>`)}
            </ul>`
    }
    <h3>How to repeat it</h3>
    <p>
      A run is fixed by its configuration: the same one gives the same bytes on any number of threads. Save a
      configuration below as a file, train it, and make the report:
    </p>
    <pre tabindex="0"><code>sumlens train --config config.json
${command ?? `sumlens compare ${runs.length === 0 ? '<run>' : runs.map(shellWord).join(' ')}`}</code></pre>
    <p>
      Engine lines name what computed each run; the native engine gives the same bytes with any compiler, the
      WASM engine its own same bytes everywhere.
    </p>
    ${
      subjects.length === 0
        ? undefined
        : html`<details>
            <summary>Checkpoints and weights</summary>
            ${scrollTable(
              'Checkpoints',
              ['Checkpoint', 'Condition', numeric('Seed'), 'SHA-256 of the weights'],
              { rows: subjects.map(subjectRow) },
            )}
          </details>`
    }
    ${runs.map((run) => runDetails(run, configs[run], engines[run] ?? []))}
  </section>`;
}

function subjectRow({ id, label, seed, weightsSha256 }: Subject): Html {
  return html`<tr>
    <td><code>${id}</code></td>
    <td>${label}</td>
    <td class="number">${seed}</td>
    <td><code>${weightsSha256}</code></td>
  </tr>`;
}

function runDetails(run: string, config: Json | undefined, engines: readonly string[]): Html {
  return html`<details class="run">
    <summary><code>${run}</code></summary>
    ${
      engines.length === 0
        ? undefined
        : html`<ul>
            ${engines.map((line) => html`<li>${line}</li>`)}
          </ul>`
    }
    ${config === undefined ? undefined : html`<pre tabindex="0"><code>${indented(config)}</code></pre>`}
  </details>`;
}

/** Keys sorted, two blanks a level. */
function indented(config: Json): string {
  return JSON.stringify(JSON.parse(canonicalJson(config)), null, 2);
}
