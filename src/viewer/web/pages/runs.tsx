/** The first page: what trains now, sweeps, and runs by condition. */
import { useState } from 'preact/hooks';
import type { RunSummary } from '../../contract.js';
import { runList, sweepList } from '../api.js';
import { plural } from '../format.js';
import { ConditionCard } from '../parts/condition-card.js';
import { A } from '../parts/link.js';
import { Empty, Loading, Lost, useTitle } from '../parts/states.js';
import { SweepProgress } from '../parts/sweep-progress.js';
import { useLive } from '../resource.js';

/** Cards shown at first, and added by each press of the button: a page of ten thousand runs is not read in one go. */
const MOST_CARDS = 24;
const MOST_UNREADABLE = 12;

export function RunsPage() {
  useTitle('sumlens: runs');
  useLive(runList, sweepList);
  const runs = runList.data.value;
  const isLost = runList.error.value !== undefined;
  return (
    <>
      <h1>Runs</h1>
      <Lost isLost={isLost} />
      {runs === undefined ? (
        isLost || <Loading />
      ) : (
        <>
          <p class="overview" role="status">
            {overviewText(runs)}
          </p>
          <Sweeps />
          <Conditions runs={runs} />
          <Unreadable runs={runs.filter((run) => run.status === 'corrupt')} />
        </>
      )}
    </>
  );
}

function overviewText(runs: readonly RunSummary[]): string {
  const count = (...statuses: string[]): number => runs.filter((run) => statuses.includes(run.status)).length;
  const parts = [
    [count('running'), 'training'],
    [count('solved', 'budget'), 'finished'],
    [count('interrupted', 'stopped'), 'stopped'],
    [count('diverged'), 'diverged'],
    [count('corrupt'), 'not readable'],
  ] as const;
  const words = parts.filter(([n]) => n > 0).map(([n, word]) => `${n} ${word}`);
  const reading = runs.filter((run) => run.reading === true).length;
  if (reading > 0) words.push(`curves of ${reading} being read`);
  return `${plural(runs.length, 'run')}${words.length > 0 ? ` (${words.join(', ')})` : ''}`;
}

function Sweeps() {
  const sweeps = sweepList.data.value ?? [];
  if (sweeps.length === 0) return null;
  return (
    <section aria-labelledby="sweeps-title">
      <h2 id="sweeps-title">Sweeps</h2>
      <div class="cards">
        {[...sweeps]
          .sort((a, b) => Number(b.running) - Number(a.running))
          .map((sweep) => (
            <article key={sweep.name} class="card sweep">
              <h3>
                <A to={`/sweeps/${sweep.name}`}>{sweep.name}</A>
              </h3>
              <SweepProgress sweep={sweep} />
            </article>
          ))}
      </div>
    </section>
  );
}

const trains = (group: readonly RunSummary[]): number =>
  group.some((run) => run.status === 'running') ? 1 : 0;

function Conditions({ runs }: { readonly runs: readonly RunSummary[] }) {
  const [most, setMost] = useState(MOST_CARDS);
  const groups = new Map<string, RunSummary[]>();
  for (const run of runs) {
    if (run.status === 'corrupt') continue;
    const group = groups.get(run.condition);
    if (group === undefined) groups.set(run.condition, [run]);
    else group.push(run);
  }
  // what trains now comes first; within that, the order of labels
  const order = [...groups.values()].sort(
    (x, y) => trains(y) - trains(x) || (x[0].label < y[0].label ? -1 : 1),
  );
  return (
    <section aria-labelledby="runs-title">
      <h2 id="runs-title">Runs by condition</h2>
      {order.length === 0 ? (
        <Empty>
          No run yet. <code>sumlens run</code> trains the quick experiment.
        </Empty>
      ) : (
        order
          .slice(0, most)
          .map((group, i) => <ConditionCard key={group[0].condition} runs={group} place={i} />)
      )}
      {order.length > most && (
        <button type="button" class="more quiet" onClick={() => setMost(most + MOST_CARDS)}>
          Show more: {plural(order.length - most, 'condition')} left
        </button>
      )}
    </section>
  );
}

function Unreadable({ runs }: { readonly runs: readonly RunSummary[] }) {
  if (runs.length === 0) return null;
  return (
    <section aria-label="Folders that could not be read">
      <h2>Not readable</h2>
      <ul class="card unreadable">
        {runs.slice(0, MOST_UNREADABLE).map((run) => (
          <li key={run.id}>
            <code>{run.id}</code>
            <span>{run.reason ?? 'no reason known'}</span>
          </li>
        ))}
      </ul>
      {runs.length > MOST_UNREADABLE && (
        <details class="card">
          <summary>{runs.length - MOST_UNREADABLE} more</summary>
          {runs.slice(MOST_UNREADABLE).map((run) => (
            <code key={run.id} title={run.reason ?? ''}>
              {run.id}{' '}
            </code>
          ))}
        </details>
      )}
    </section>
  );
}
