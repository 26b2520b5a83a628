/** Above the table of runs: search, filter, grouping. */
import { useEffect, useRef } from 'preact/hooks';
import type { RunSummary } from '../../../contract.js';
import { whole } from '../../format.js';
import { FILTERS, GROUPINGS, type Grouping } from '../../runs/arrange.js';

export interface ToolbarProps {
  readonly text: string;
  readonly problems: readonly string[];
  readonly names: readonly string[];
  readonly runs: readonly RunSummary[];
  readonly filter: string;
  readonly grouping: Grouping;
  readonly nShown: number;
  readonly onText: (text: string) => void;
  readonly onFilter: (filter: string) => void;
  readonly onGrouping: (grouping: Grouping) => void;
}

export function Toolbar(props: ToolbarProps) {
  const { text, problems, names, runs, filter, grouping, nShown } = props;
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const slash = (event: KeyboardEvent): void => {
      const isTyping =
        event.target instanceof Element && event.target.closest('input, textarea, select, dialog');
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      search.current?.focus();
    };
    document.addEventListener('keydown', slash);
    return () => document.removeEventListener('keydown', slash);
  }, []);
  return (
    <div class="toolbar">
      <div class="search">
        <label for="search" class="hidden">
          Search runs
        </label>
        <input
          id="search"
          ref={search}
          type="search"
          placeholder="Search, such as dModel>=32 tasks:SUM"
          value={text}
          autocomplete="off"
          spellcheck={false}
          aria-describedby="search-problems"
          aria-keyshortcuts="/"
          onInput={(event) => props.onText(event.currentTarget.value)}
        />
        <label class="grouping">
          <span class="muted">Group by</span>
          <select
            value={grouping}
            onChange={(event) => {
              const chosen = GROUPINGS.find((one) => one === event.currentTarget.value);
              if (chosen !== undefined) props.onGrouping(chosen);
            }}
          >
            {GROUPINGS.map((one) => (
              <option key={one} value={one}>
                {one === 'none' ? 'nothing' : one}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div id="search-problems" role="status">
        {problems.map((problem) => (
          <p key={problem} class="notice warn">
            {problem}
          </p>
        ))}
      </div>
      <div class="filters" role="group" aria-label="Show only">
        <button type="button" class="quiet" aria-pressed={filter === ''} onClick={() => props.onFilter('')}>
          all <b>{whole(runs.length)}</b>
        </button>
        {FILTERS.map(({ id, word, keeps }) => {
          const n = runs.reduce((sum, run) => sum + (keeps(run) ? 1 : 0), 0);
          if (n === 0 && filter !== id) return null;
          return (
            <button
              key={id}
              type="button"
              class="quiet"
              aria-pressed={filter === id}
              onClick={() => props.onFilter(filter === id ? '' : id)}
            >
              {word} <b>{whole(n)}</b>
            </button>
          );
        })}
        <span class="muted shown" role="status">
          {nShown === runs.length ? '' : `${whole(nShown)} shown`}
        </span>
      </div>
      <details class="how">
        <summary>How to search</summary>
        <p>
          Terms with blanks between them all hold: <code>dModel&gt;=32 tasks:SUM</code>. Words are looked for
          in names, tags and notes; <code>name:part</code>, <code>name=exactly</code>,{' '}
          <code>name!=value</code> and <code>&lt;</code>, <code>&lt;=</code>, <code>&gt;</code>,{' '}
          <code>&gt;=</code> ask for one thing, <code>SUM&gt;=95%</code> for an accuracy, and <code>-</code>{' '}
          before a term turns it round.
        </p>
        <p class="muted names">{names.join(', ')}</p>
      </details>
    </div>
  );
}
