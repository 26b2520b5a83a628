/** A report in the list: title, what was compared, and what each claim came to. */
import { placesOf } from '../../../palette.js';
import type { ReportSummary, VerdictChip } from '../../contract.js';
import { bytes, colorClass, plural } from '../format.js';
import { A } from './link.js';

const MOST_CONDITIONS = 8;

export function ReportCard({ report }: { readonly report: ReportSummary }) {
  const { title, open, address, reason, conditions, verdicts } = report;
  const places = placesOf(conditions);
  return (
    <article class="card report">
      <h2>{open ? <A to={`/reports/${address}`}>{title}</A> : title}</h2>
      {reason === undefined ? <p class="muted">{about(report)}</p> : <p class="bad-text">{reason}</p>}
      {conditions.length > 0 && (
        <ul class="chips">
          {conditions.slice(0, MOST_CONDITIONS).map((label) => (
            <li key={label} class={`chip ${colorClass(places.get(label) ?? 0)}`}>
              <span class="swatch" />
              {label}
            </li>
          ))}
          {conditions.length > MOST_CONDITIONS && (
            <li class="chip">{conditions.length - MOST_CONDITIONS} more</li>
          )}
        </ul>
      )}
      {verdicts.length > 0 && (
        <ul class="verdicts">
          {verdicts.filter(({ isDecided }) => isDecided).map(VerdictRow)}
          <Undecided verdicts={verdicts.filter(({ isDecided }) => !isDecided)} />
        </ul>
      )}
    </article>
  );
}

function VerdictRow({ claim, statement, verdict, tone }: VerdictChip) {
  return (
    <li key={claim}>
      <b>{claim}</b>
      <span class="statement">{statement}</span>
      <span class={`verdict tone${tone}`}>{verdict}</span>
    </li>
  );
}

/** What nothing can be said of, in one row: a report of six checkpoints is not about the paper's claims. */
function Undecided({ verdicts }: { readonly verdicts: readonly VerdictChip[] }) {
  if (verdicts.length < 2) return <>{verdicts.map(VerdictRow)}</>;
  const [{ verdict, tone }] = verdicts;
  return (
    <li>
      <details>
        <summary>
          {verdicts.length} claims: <span class={`verdict tone${tone}`}>{verdict}</span>
        </summary>
        <ul>
          {verdicts.map(({ claim, statement }) => (
            <li key={claim}>
              <b>{claim}</b> <span class="statement">{statement}</span>
            </li>
          ))}
        </ul>
      </details>
    </li>
  );
}

function about({ reading, sizeBytes, subjects, conditions, modules, comparison }: ReportSummary): string {
  if (reading === true) return `${bytes(sizeBytes)}, being read`;
  return (
    `${comparison === true ? 'Saved comparison: ' : ''}${plural(subjects, 'checkpoint')} of ${plural(conditions.length, 'condition')}, ` +
    `${plural(modules.length, 'module')}, ${bytes(sizeBytes)}`
  );
}
