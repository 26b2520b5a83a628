/** The table of runs: of ten thousand rows those are drawn that the window shows. */
import type { ComponentChildren } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import type { RunSummary } from '../../../contract.js';
import { colorClass, number, percent, plural, whole } from '../../format.js';
import {
  type Column,
  folderOf,
  type Grouping,
  type GroupRow,
  type Row,
  type Sort,
} from '../../runs/arrange.js';
import { choose, selection } from '../../runs/selection.js';
import { subjectAccuracy, subjectOf } from '../../runs/state.js';
import { useMedia } from '../../media.js';
import { useWindowRows } from '../../runs/window-rows.js';
import { A } from '../link.js';
import { NotesButton, Tags } from '../notes.js';
import { RunState } from '../run-state.js';
import { SmallCurve } from './small-curve.js';

/** Heights in pixels, as runs.css has them: on a wide window, on a narrow one. */
const HEIGHTS = { group: [46, 64], run: [38, 76] } as const;

const HEADS: readonly { readonly column?: Column; readonly name: string; readonly class: string }[] = [
  { column: 'run', name: 'run', class: 'name' },
  { column: 'state', name: 'state', class: 'at' },
  { name: 'curve', class: 'curve' },
  { column: 'accuracy', name: 'accuracy', class: 'accuracy' },
  { name: 'others', class: 'others' },
  { column: 'loss', name: 'loss', class: 'loss right' },
  { column: 'step', name: 'step', class: 'step right' },
  { name: 'tags', class: 'notes' },
];

export interface RunTableProps {
  readonly rows: readonly Row[];
  readonly grouping: Grouping;
  readonly sort: Sort;
  readonly onSort: (column: Column) => void;
  readonly onToggle: (key: string) => void;
}

export function RunTable({ rows, grouping, sort, onSort, onToggle }: RunTableProps) {
  const body = useRef<HTMLDivElement>(null);
  const isNarrow = useMedia('(max-width: 760px)');
  const heights = useMemo(() => rows.map(({ kind }) => HEIGHTS[kind][isNarrow ? 1 : 0]), [rows, isNarrow]);
  const { from, to, before, after } = useWindowRows(body, heights);
  return (
    <div class="runs" role="table" aria-label="Runs" aria-rowcount={rows.length + 1}>
      <div role="rowgroup" class="runs-head">
        <div role="row" class="run-row head" aria-rowindex={1}>
          <span role="columnheader" class="check">
            <span class="hidden">chosen</span>
          </span>
          {HEADS.map((head) => (
            <Head key={head.name} head={head} sort={sort} onSort={onSort} />
          ))}
        </div>
      </div>
      <div
        role="rowgroup"
        ref={body}
        class="runs-body"
        style={{ paddingTop: `${before}px`, paddingBottom: `${after}px` }}
        onKeyDown={moveBetweenRows}
      >
        {rows
          .slice(from, to)
          .map((row, i) =>
            row.kind === 'group' ? (
              <GroupLine key={`group ${row.key}`} row={row} index={from + i + 2} onToggle={onToggle} />
            ) : (
              <RunLine key={row.run.id} run={row.run} index={from + i + 2} grouping={grouping} />
            ),
          )}
      </div>
    </div>
  );
}

interface HeadProps {
  readonly head: (typeof HEADS)[number];
  readonly sort: Sort;
  readonly onSort: (column: Column) => void;
}

function Head({ head: { column, name, class: own }, sort, onSort }: HeadProps) {
  const isSorted = column === sort.column;
  return (
    <span
      role="columnheader"
      class={own}
      {...(column !== undefined && {
        'aria-sort': isSorted
          ? sort.isDown
            ? ('descending' as const)
            : ('ascending' as const)
          : ('none' as const),
      })}
    >
      {column === undefined ? (
        name
      ) : (
        <button type="button" class="sort" onClick={() => onSort(column)}>
          {name}
          <span class="arrow" aria-hidden="true">
            {isSorted ? (sort.isDown ? '↓' : '↑') : ''}
          </span>
        </button>
      )}
    </span>
  );
}

interface GroupLineProps {
  readonly row: GroupRow;
  readonly index: number;
  readonly onToggle: (key: string) => void;
}

function GroupLine({ row: { key, label, place, runs, isOpen }, index, onToggle }: GroupLineProps) {
  const own = runs.filter((run) => run.open).map((run) => run.address);
  const nChosen = own.filter((address) => selection.value.has(address)).length;
  return (
    <div
      role="row"
      class={`run-row group ${place === undefined ? '' : colorClass(place)}`}
      aria-rowindex={index}
    >
      <span role="cell" class="check">
        {own.length > 0 && (
          <input
            type="checkbox"
            aria-label={`Choose all of ${label}`}
            checked={nChosen === own.length}
            indeterminate={nChosen > 0 && nChosen < own.length}
            onChange={(event) => choose(own, event.currentTarget.checked)}
          />
        )}
      </span>
      <span role="cell" class="group-cell" aria-colspan={HEADS.length}>
        <button type="button" class="toggle" aria-expanded={isOpen} onClick={() => onToggle(key)}>
          <span class="arrow" aria-hidden="true">
            {isOpen ? '▾' : '▸'}
          </span>
          {place !== undefined && <span class="swatch" />}
          <span class="group-label">{label}</span>
        </button>
        <span class="muted group-meta">{meta(runs)}</span>
      </span>
    </div>
  );
}

function meta(runs: readonly RunSummary[]): string {
  const parameters = [...new Set(runs.map((run) => run.parameters).filter((n) => n !== null))];
  const known = runs.filter((run) => run.learned !== null);
  const parts = [plural(runs.length, 'run')];
  if (parameters.length === 1) parts.push(`${whole(parameters[0])} parameters`);
  if (known.length > 0) parts.push(`${known.filter((run) => run.learned).length} of ${known.length} learned`);
  return parts.join(' · ');
}

interface RunLineProps {
  readonly run: RunSummary;
  readonly index: number;
  readonly grouping: Grouping;
}

function RunLine({ run, index, grouping }: RunLineProps) {
  const color = run.condition === '' ? '' : colorClass(run.place);
  const isChosen = selection.value.has(run.address);
  if (run.condition === '') return <UnreadableLine run={run} index={index} />;
  const subject = subjectOf(run);
  const accuracy = subjectAccuracy(run);
  return (
    <div
      role="row"
      class={`run-row ${color}`}
      aria-rowindex={index}
      {...(isChosen && { 'aria-selected': true, 'data-chosen': '' })}
    >
      <span role="cell" class="check">
        {run.open && (
          <input
            type="checkbox"
            aria-label={`Choose ${run.id}`}
            checked={isChosen}
            onChange={(event) => choose([run.address], event.currentTarget.checked)}
          />
        )}
      </span>
      <span role="cell" class="name">
        <Name run={run} grouping={grouping} />
      </span>
      <span role="cell" class="at">
        <RunState run={run} />
      </span>
      <span role="cell" class="curve">
        <SmallCurve run={run} />
      </span>
      <span role="cell" class="accuracy">
        {accuracy === undefined ? (
          <span class="muted">{run.reading === true ? 'being read' : '–'}</span>
        ) : (
          <>
            <Bar share={accuracy} chance={run.chance} />
            <span class="subject">{subject}</span> {percent(accuracy)}
          </>
        )}
      </span>
      <span role="cell" class="others muted">
        {Object.entries(run.accuracy ?? {})
          .filter(([operation]) => operation !== subject)
          .map(([operation, share]) => `${operation} ${percent(share)}`)
          .join(' · ')}
      </span>
      <span role="cell" class="loss right">
        {number(run.loss)}
      </span>
      <span role="cell" class="step right">
        {whole(run.step)}
        {run.steps !== null && run.step < run.steps && <span class="muted"> / {whole(run.steps)}</span>}
      </span>
      <span role="cell" class="notes">
        <Tags run={run} />
        {run.open && <NotesButton run={run} label={`Tags and note of ${run.id}`} />}
      </span>
    </div>
  );
}

function UnreadableLine({ run, index }: { readonly run: RunSummary; readonly index: number }) {
  return (
    <div role="row" class="run-row unreadable" aria-rowindex={index}>
      <span role="cell" class="check" />
      <span role="cell" class="name">
        <code title={run.id}>{run.id}</code>
      </span>
      <span role="cell" class="why bad-text" aria-colspan={HEADS.length - 1} title={run.reason}>
        {run.reason ?? 'no reason known'}
      </span>
    </div>
  );
}

/** In a group of its condition a run is its seed; elsewhere the condition stands before it. */
function Name({ run, grouping }: { readonly run: RunSummary; readonly grouping: Grouping }) {
  const seed = run.seed === null ? run.id : `seed ${run.seed}`;
  const text = grouping === 'condition' ? seed : `${run.label}, ${seed}`;
  const folder = folderOf(run);
  return (
    <>
      {grouping !== 'condition' && <span class="swatch" />}
      {run.open ? (
        <A to={`/runs/${run.address}`} title={run.id}>
          {text}
        </A>
      ) : (
        text
      )}
      <span class="muted where">
        {run.shipped === true && <Badge title="It came with the package">shipped</Badge>}
        {run.linkOf !== undefined && <Badge title={`A link to ${run.linkOf}`}>link</Badge>}
        {grouping !== 'folder' && folder !== '' && <span class="folder">{folder}/</span>}
        <code>{run.id.slice(folder === '' ? 0 : folder.length + 1)}</code>
      </span>
    </>
  );
}

function Badge({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <span class="mark-badge" title={title}>
      {children}
    </span>
  );
}

function Bar({ share, chance }: { readonly share: number; readonly chance: number | null }) {
  return (
    <svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <rect class="bar-back" width={100} height={6} />
      <rect class="bar-fill" width={Math.min(1, Math.max(0, share)) * 100} height={6} />
      {chance !== null && <rect class="bar-chance" x={chance * 100 - 1} width={2} height={6} />}
    </svg>
  );
}

/** Up and down go from row to row in the same column. */
function moveBetweenRows(event: KeyboardEvent): void {
  const by = { ArrowUp: 'previousElementSibling', ArrowDown: 'nextElementSibling' } as const;
  if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
  const target = event.target instanceof Element ? event.target : null;
  const row = target?.closest('.run-row');
  if (target === null || row === null || row === undefined) return;
  const column = target.closest('[role=cell]')?.className ?? '';
  let next = row[by[event.key]];
  while (next !== null) {
    const inside = next.querySelectorAll<HTMLElement>('a, input, button');
    const same = [...inside].find((one) => one.closest('[role=cell]')?.className === column) ?? inside[0];
    if (same !== undefined) {
      event.preventDefault();
      same.focus();
      return;
    }
    next = next[by[event.key]];
  }
}
