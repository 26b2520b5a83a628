/** One sweep as it goes on: progress, who has learned at which size so far, curves over sizes, the last runs to finish. */
import { useEffect, useState } from 'preact/hooks';
import { DASHES, roundOf } from '../../../palette.js';
import type { SweepCell, SweepState, SweepTable } from '../../contract.js';
import { percent, plural, whole, wholePercent } from '../format.js';
import type { PageProps } from '../pages.js';
import { LineChart, type Line } from '../parts/line-chart.js';
import { A } from '../parts/link.js';
import { Loading, Lost, Notice, useTitle } from '../parts/states.js';
import { SweepProgress } from '../parts/sweep-progress.js';
import { followStream } from '../stream.js';

export function SweepPage({ name }: PageProps) {
  useTitle(`${name} - sumlens`);
  const [state, setState] = useState<SweepState | undefined>(undefined);
  const [isGone, setGone] = useState(false);
  const [isLost, setLost] = useState(false);
  useEffect(
    () =>
      followStream(`/api/sweeps/${name}/events`, {
        on: {
          sweep: (data) => setState(data as SweepState),
          gone: (_data, end) => {
            end();
            setGone(true);
          },
        },
        connection: (ok) => setLost(!ok),
      }),
    [name],
  );
  return (
    <>
      <nav class="trail" aria-label="You are here">
        <A to="/">Runs</A> / <span aria-current="page">{name}</span>
      </nav>
      <div class="title-row">
        <h1>{name}</h1>
        {state !== undefined && (
          <span class={`badge ${state.running ? 'live' : 'plain'}`}>
            {state.running ? 'running' : 'not running'}
          </span>
        )}
      </div>
      <p>
        <A to={`/reports/${name}`}>Report of this sweep</A>
      </p>
      <div role="status" class="notices">
        {isGone && <Notice tone="bad">There is no such sweep (any more).</Notice>}
        {state !== undefined && state.unreadable > 0 && (
          <Notice tone="warn">
            {plural(state.unreadable, 'line')} of results.jsonl are no results and are left out.
          </Notice>
        )}
      </div>
      <Lost isLost={isLost && !isGone} />
      {state === undefined ? (
        !isGone && <Loading />
      ) : (
        <>
          <div class="sweep-progress">
            <SweepProgress sweep={state} />
          </div>
          <h2>Seeds that have learned, by size</h2>
          <div class="sweep-tables">
            {state.tables.map((table) => (
              <SizeTable key={table.place} table={table} />
            ))}
          </div>
          <Latest latest={state.latest} />
        </>
      )}
    </>
  );
}

function SizeTable({ table: { place, sizes, rows } }: { readonly table: SweepTable }) {
  const lines = rows
    .map(({ arm, cells }, i): Line => ({
      name: arm,
      place: i,
      dash: DASHES[roundOf(i) % DASHES.length].join(' '),
      points: cells.flatMap((cell, k) =>
        cell === null || cell.runs === 0 ? [] : [[sizes[k], cell.learned / cell.runs] as const],
      ),
    }))
    .filter(({ points }) => points.length > 0);
  return (
    <section class="card">
      <h3>{place}</h3>
      <div class="scroll" tabIndex={0} role="region" aria-label={`Seeds that learned: ${place}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">learned of finished</th>
              {sizes.map((size) => (
                <th key={size} scope="col" class="right">
                  {whole(size)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ arm, cells }) => (
              <tr key={arm}>
                <th scope="row">{arm}</th>
                {cells.map((cell, k) => (
                  <td key={sizes[k]} class="right">
                    <Cell cell={cell} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {lines.length > 0 && sizes.length > 1 && (
        <LineChart
          title="Share of seeds that learned"
          note="Of those that have finished, by parameters."
          format={percent}
          tickFormat={wholePercent}
          domain={[0, 1]}
          axis="parameters"
          lines={lines}
          lastStep={sizes.at(-1) ?? 1}
        />
      )}
    </section>
  );
}

function Cell({ cell }: { readonly cell: SweepCell | null }) {
  if (cell === null) return null;
  return (
    <>
      {cell.runs > 0 && `${cell.learned}/${cell.runs}`}
      {cell.planned !== null && cell.planned > cell.runs && <small class="muted"> of {cell.planned}</small>}
    </>
  );
}

function Latest({ latest }: Pick<SweepState, 'latest'>) {
  return (
    <section class="card" aria-labelledby="latest-title">
      <h2 id="latest-title">Finished last</h2>
      {latest.length === 0 ? (
        <p class="muted">No run has finished yet.</p>
      ) : (
        <ul class="latest">
          {latest.map(({ text, operation, learned, reason, step, seconds }) => (
            <li key={text}>
              {text}
              <span class="muted">
                {`: ${operation} ${learned ? 'learned' : 'not learned'}, ${reason} at step ${whole(step)}, ${whole(Math.round(seconds))} s`}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
