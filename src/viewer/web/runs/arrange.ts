/** Which rows the table of runs has, in which order: filter, sort, groups. Pure. */
import type { RunSummary } from '../../contract.js';
import type { Listed, Search } from './search.js';
import { stateOf, subjectAccuracy } from './state.js';

export const GROUPINGS = ['condition', 'folder', 'none'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export const COLUMNS = ['run', 'state', 'accuracy', 'loss', 'step', 'parameters'] as const;
export type Column = (typeof COLUMNS)[number];

/** `loss`, `-loss`: downwards */
export interface Sort {
  readonly column: Column;
  readonly isDown: boolean;
}

/** What the buttons above the table keep. */
export const FILTERS: readonly {
  readonly id: string;
  readonly word: string;
  readonly keeps: (run: RunSummary) => boolean;
}[] = [
  { id: 'training', word: 'training', keeps: (run) => run.status === 'running' },
  { id: 'learned', word: 'learned', keeps: (run) => run.status === 'solved' || run.learned === true },
  { id: 'unlearned', word: 'not learned', keeps: (run) => run.status === 'budget' && run.learned === false },
  { id: 'stopped', word: 'stopped', keeps: ({ status }) => status === 'stopped' || status === 'interrupted' },
  { id: 'diverged', word: 'diverged', keeps: (run) => run.status === 'diverged' },
  { id: 'corrupt', word: 'not readable', keeps: (run) => run.status === 'corrupt' },
  { id: 'shipped', word: 'shipped', keeps: (run) => run.shipped === true },
];

export interface GroupRow {
  readonly kind: 'group';
  readonly key: string;
  readonly label: string;
  /** colour of the condition; undefined: the group is of no condition */
  readonly place: number | undefined;
  readonly runs: readonly RunSummary[];
  readonly isOpen: boolean;
}

export interface RunRow {
  readonly kind: 'run';
  readonly run: RunSummary;
}

export type Row = GroupRow | RunRow;

export interface Arrangement {
  readonly search: Search;
  /** id of FILTERS; empty: all */
  readonly filter: string;
  readonly sort: Sort;
  readonly grouping: Grouping;
  readonly isOpen: (key: string) => boolean;
}

/** Key of the group of folders that could not be read. */
export const UNREADABLE = '\0';

export function keep(
  list: readonly Listed[],
  { search, filter }: Pick<Arrangement, 'search' | 'filter'>,
): RunSummary[] {
  const keeps = FILTERS.find(({ id }) => id === filter)?.keeps ?? (() => true);
  return list.filter((listed) => keeps(listed.run) && search.test(listed)).map(({ run }) => run);
}

/** @param runs - that are kept */
export function arrange(runs: readonly RunSummary[], { sort, grouping, isOpen }: Arrangement): Row[] {
  const order = [...runs].sort(comparison(sort));
  if (grouping === 'none') return order.map((run) => ({ kind: 'run', run }));
  const groups = new Map<string, RunSummary[]>();
  for (const run of order) {
    const key = groupKey(run, grouping);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [run]);
    else group.push(run);
  }
  const first = (key: string): number => (key === UNREADABLE ? 1 : 0);
  const live = (group: readonly RunSummary[]): number =>
    group.some(({ status }) => status === 'running') ? 0 : 1;
  const sorted = [...groups].sort(
    ([key, group], [otherKey, other]) =>
      first(key) - first(otherKey) ||
      (sort.column === 'run'
        ? live(group) - live(other) ||
          (sort.isDown ? -1 : 1) * byText(labelOf(key, group), labelOf(otherKey, other))
        : 0),
  );
  return sorted.flatMap(([key, group]): Row[] => {
    const open = isOpen(key);
    const head: GroupRow = {
      kind: 'group',
      key,
      label: labelOf(key, group),
      place: grouping === 'condition' && key !== UNREADABLE ? group[0].place : undefined,
      runs: group,
      isOpen: open,
    };
    return open ? [head, ...group.map((run): RunRow => ({ kind: 'run', run }))] : [head];
  });
}

export function folderOf({ id }: RunSummary): string {
  return id.split('/').slice(0, -1).join('/');
}

function groupKey(run: RunSummary, grouping: Grouping): string {
  if (run.status === 'corrupt' && run.condition === '') return UNREADABLE;
  if (grouping === 'folder') return run.shipped === true ? 'shipped\0' : `${folderOf(run)}/`;
  return run.condition;
}

function labelOf(key: string, group: readonly RunSummary[]): string {
  if (key === UNREADABLE) return 'Not readable';
  if (key === 'shipped\0') return 'shipped with the package';
  if (key.endsWith('/')) return key === '/' ? 'checkpoints' : key.slice(0, -1);
  return group[0].label;
}

function comparison({ column, isDown }: Sort): (x: RunSummary, y: RunSummary) => number {
  const sign = isDown ? -1 : 1;
  return (x, y) => {
    const [a, b] = [valueOf(x, column), valueOf(y, column)];
    // what is not known comes last, whichever way
    if (a === undefined || b === undefined) {
      if (a !== b) return a === undefined ? 1 : -1;
    } else if (a !== b) {
      return sign * (a < b ? -1 : 1);
    }
    return byText(x.label, y.label) || (x.seed ?? 0) - (y.seed ?? 0) || byText(x.id, y.id);
  };
}

function valueOf(run: RunSummary, column: Column): string | number | undefined {
  switch (column) {
    case 'run':
      return undefined;
    case 'state':
      return stateOf(run).word;
    case 'accuracy':
      return subjectAccuracy(run);
    case 'loss':
      return run.loss ?? undefined;
    case 'step':
      return run.step;
    case 'parameters':
      return run.parameters ?? undefined;
  }
}

/** d=8 comes before d=16. */
const collator = new Intl.Collator('en', { numeric: true });
const byText = (a: string, b: string): number => collator.compare(a, b);

export function sortOf(text: string | undefined): Sort {
  const isDown = text?.startsWith('-') === true;
  const name = isDown ? text.slice(1) : text;
  const column = COLUMNS.find((known) => known === name) ?? 'run';
  return { column, isDown };
}

export function sortText({ column, isDown }: Sort): string | undefined {
  if (column === 'run' && !isDown) return undefined;
  return `${isDown ? '-' : ''}${column}`;
}
