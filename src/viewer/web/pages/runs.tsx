/** The first page: sweeps, and the table of all runs. What is searched, filtered, sorted and grouped is in the address. */
import { signal } from '@preact/signals';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { RunList, SweepSummary } from '../../contract.js';
import { runList, sweepList } from '../api.js';
import { plural } from '../format.js';
import { A } from '../parts/link.js';
import { SelectionBar } from '../parts/runs/selection-bar.js';
import { RunTable } from '../parts/runs/table.js';
import { Toolbar } from '../parts/runs/toolbar.js';
import { Empty, Lost, Notice, useTitle } from '../parts/states.js';
import { SweepProgress } from '../parts/sweep-progress.js';
import { AnswerError, useLive } from '../resource.js';
import { place, setQuery } from '../router.js';
import { arrange, type Column, type Grouping, GROUPINGS, keep, sortOf, sortText } from '../runs/arrange.js';
import { parseSearch, searchNames, withSettings } from '../runs/search.js';

/** From so many runs on, groups are closed until they are opened. */
const MANY_RUNS = 400;
/** What is typed goes into the address when the fingers rest. */
const TYPED_MS = 250;

/** Groups that were opened or closed by hand, in this tab. */
const toggled = signal<ReadonlyMap<string, boolean>>(new Map());

export function RunsPage() {
  useTitle('Runs - sumlens');
  useLive(runList, sweepList);
  const list = runList.data.value;
  const error = runList.error.value;
  return (
    <>
      <h1>Runs</h1>
      <Lost isLost={error !== undefined && !(error instanceof AnswerError)} />
      {error instanceof AnswerError && <Notice tone="bad">{error.message}</Notice>}
      <Sweeps sweeps={sweepList.data.value ?? []} />
      {list !== undefined ? <Table list={list} /> : error === undefined && <Waiting />}
    </>
  );
}

function Table({ list }: { readonly list: RunList }) {
  const { q = '', show = '', sort: sortQuery, group } = place.value.query;
  const [text, setText] = useTyped(q);
  const grouping = GROUPINGS.find((one) => one === group) ?? 'condition';
  const listed = useMemo(() => withSettings(list), [list]);
  const names = useMemo(() => searchNames(listed), [listed]);
  const search = useMemo(() => parseSearch(text, listed), [text, listed]);
  const kept = useMemo(() => keep(listed, { search, filter: show }), [listed, search, show]);
  const byHand = toggled.value;
  const isOpen = (key: string): boolean => byHand.get(key) ?? (kept.length <= MANY_RUNS && key !== '');
  const sort = sortOf(sortQuery);
  const rows = useMemo(
    () => arrange(kept, { search, filter: show, sort, grouping, isOpen }),
    [kept, sortQuery, grouping, byHand],
  );
  if (list.runs.length === 0) {
    return (
      <Empty>
        No run yet. <code>sumlens run</code> trains the quick experiment, and <A to="/jobs">Jobs</A> starts a
        run from here.
      </Empty>
    );
  }
  const onSort = (column: Column): void => {
    // what is best comes first: accuracy downwards, loss upwards
    const isFirstDown = column === 'accuracy' || column === 'step' || column === 'parameters';
    const isDown = sort.column === column ? !sort.isDown : isFirstDown;
    setQuery({ sort: sortText({ column, isDown }) });
  };
  return (
    <>
      <Overview list={list} />
      <Toolbar
        text={text}
        problems={search.problems}
        names={names}
        runs={list.runs}
        filter={show}
        grouping={grouping}
        nShown={kept.length}
        onText={setText}
        onFilter={(filter) => setQuery({ show: filter })}
        onGrouping={(chosen: Grouping) => setQuery({ group: chosen === 'condition' ? undefined : chosen })}
      />
      {rows.length === 0 ? (
        <Empty>
          No run is like that.{' '}
          <button
            type="button"
            class="quiet"
            onClick={() => {
              setText('');
              setQuery({ q: undefined, show: undefined });
            }}
          >
            Show all
          </button>
        </Empty>
      ) : (
        <RunTable
          rows={rows}
          grouping={grouping}
          sort={sort}
          onSort={onSort}
          onToggle={(key) => (toggled.value = new Map(byHand).set(key, !isOpen(key)))}
        />
      )}
      <SelectionBar />
    </>
  );
}

/** Text that is typed shows at once and goes into the address a little later; the back button changes it too. */
function useTyped(inAddress: string): readonly [string, (text: string) => void] {
  const [state, setState] = useState({ text: inAddress, written: inAddress });
  // the address changed under us
  if (inAddress !== state.written) setState({ text: inAddress, written: inAddress });
  useEffect(() => {
    if (state.text === inAddress) return;
    const timer = setTimeout(() => {
      setState((now) => ({ ...now, written: state.text }));
      setQuery({ q: state.text });
    }, TYPED_MS);
    return () => clearTimeout(timer);
  }, [state.text]);
  return [state.text, (text) => setState((now) => ({ ...now, text }))];
}

function Overview({ list: { runs, conditions } }: { readonly list: RunList }) {
  const reading = runs.filter((run) => run.reading === true).length;
  return (
    <p class="overview" role="status">
      {plural(runs.length, 'run')} of {plural(conditions.length, 'condition')}
      {reading > 0 && `, curves of ${reading} being read`}
    </p>
  );
}

function Waiting() {
  return (
    <div class="skeleton" role="status">
      <span class="hidden">Loading</span>
      {Array.from({ length: 8 }, (_, i) => (
        <div key={i} aria-hidden="true" />
      ))}
    </div>
  );
}

function Sweeps({ sweeps }: { readonly sweeps: readonly SweepSummary[] }) {
  if (sweeps.length === 0) return null;
  const cards = (own: readonly SweepSummary[]) => (
    <div class="cards">
      {own.map((sweep) => (
        <article key={sweep.name} class="card sweep">
          <h3>
            <A to={`/sweeps/${sweep.name}`}>{sweep.name}</A>
          </h3>
          <SweepProgress sweep={sweep} />
        </article>
      ))}
    </div>
  );
  const running = sweeps.filter((sweep) => sweep.running);
  const resting = sweeps.filter((sweep) => !sweep.running);
  return (
    <section aria-labelledby="sweeps-title" class="sweeps">
      <h2 id="sweeps-title">Sweeps</h2>
      {running.length > 0 && cards(running)}
      {resting.length > 0 && (
        <ul class="chips">
          {resting.map(({ name, finished, total }) => (
            <li key={name}>
              <A class="chip" to={`/sweeps/${name}`}>
                {name}{' '}
                <span class="muted">
                  {total === null ? plural(finished, 'run') : `${finished} of ${total}`}
                </span>
              </A>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
