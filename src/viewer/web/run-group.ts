/** Runs of one condition: every seed's curve in one picture, every seed in one table. A mean would hide how they differ. */
import type { RunSummary } from '../contract.js';
import { path } from './chart.js';
import { h, s } from './dom.js';
import { colorClass, percent, plural, statusWord, whole } from './format.js';
import { linearScale } from './scale.js';

const WIDTH = 320;
const HEIGHT = 132;
/** room for the labels of the value axis */
const LEFT = 40;
/** Accuracy from which a curve counts as learned; the line in the small picture. */
const LEARNED = 0.95;
const MOST_ROWS = 12;

export function conditionCard(label: string, runs: readonly RunSummary[], place: number): HTMLElement {
  const sorted = [...runs].sort((a, b) => (a.seed ?? 0) - (b.seed ?? 0) || (a.id < b.id ? -1 : 1));
  const operations = [...new Set(sorted.flatMap((run) => run.tasks))];
  const subject = operations.includes('SUM') ? 'SUM' : (operations[0] ?? 'result');
  const title = `condition-${place}`;
  return h(
    'article',
    { class: `card condition ${colorClass(sorted[0].place)}`, 'aria-labelledby': title },
    h(
      'header',
      {},
      h('h3', { id: title }, h('span', { class: 'swatch' }), label),
      h('p', { class: 'muted' }, meta(sorted, subject)),
    ),
    h(
      'div',
      { class: 'condition-body' },
      h(
        'figure',
        {},
        smallCurves(sorted),
        h('figcaption', { class: 'muted' }, `${subject} accuracy over steps, one line a seed`),
      ),
      seedTable(sorted, operations, label, place),
    ),
  );
}

function meta(runs: readonly RunSummary[], subject: string): string {
  const parameters = [...new Set(runs.map((run) => run.parameters).filter((n) => n !== null))];
  const evaluated = runs.filter((run) => run.accuracy !== null);
  const high = evaluated.filter((run) => (run.accuracy?.[subject] ?? 0) >= LEARNED).length;
  const parts = [plural(runs.length, 'seed')];
  if (parameters.length === 1) parts.push(`${whole(parameters[0])} parameters`);
  if (evaluated.length > 0) parts.push(`${high} of ${evaluated.length} at 95 % ${subject} or more`);
  return parts.join(' · ');
}

/** The overlaid curves; the group's numbers stand in the table beside it, so the picture itself is decoration. */
function smallCurves(runs: readonly RunSummary[]): SVGElement {
  const last = Math.max(1, ...runs.map((run) => run.steps ?? run.step));
  const x = linearScale(0, last, 4, true);
  const px = (step: number): number => LEFT + x.at(step) * (WIDTH - LEFT - 6);
  const py = (value: number): number => HEIGHT - 18 - value * (HEIGHT - 28);
  const chance = runs.find((run) => run.chance !== null)?.chance ?? null;
  return s(
    'svg',
    { class: 'small-curves', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, 'aria-hidden': 'true', focusable: 'false' },
    [0, 0.5, 1].map((tick) => [
      s('line', { class: 'grid', x1: LEFT, x2: WIDTH - 6, y1: py(tick), y2: py(tick) }),
      s('text', { class: 'tick end', x: LEFT - 5, y: py(tick) + 3.5 }, `${tick * 100} %`),
    ]),
    chance === null
      ? null
      : s('line', { class: 'mark', x1: LEFT, x2: WIDTH - 6, y1: py(chance), y2: py(chance) }),
    s('text', { class: 'tick end', x: WIDTH - 6, y: HEIGHT - 4 }, `${whole(last)} steps`),
    chance === null
      ? null
      : s('text', { class: 'tick', x: LEFT, y: HEIGHT - 4 }, `dashed: chance ${percent(chance)}`),
    runs.map((run) => s('path', { class: 'line seed', d: path(run.sparkline, px, py) })),
    runs
      .filter((run) => run.status === 'running' && run.sparkline.length > 0)
      .map((run) => {
        const [step, value] = run.sparkline[run.sparkline.length - 1];
        return value === null ? null : s('circle', { class: 'dot live', cx: px(step), cy: py(value), r: 3 });
      }),
  );
}

function seedTable(
  runs: readonly RunSummary[],
  operations: readonly string[],
  label: string,
  place: number,
): HTMLElement {
  const region = {
    class: 'scroll',
    tabindex: 0,
    role: 'region',
    'aria-label': `Seeds of ${label}`,
    id: `seeds-${place}`,
  };
  const rows = runs.map((run) => seedRow(run, operations));
  return h(
    'div',
    region,
    h(
      'table',
      { class: 'seeds' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, 'seed'),
          h('th', { scope: 'col' }, 'state'),
          operations.map((name) => h('th', { scope: 'col', class: 'right' }, name)),
        ),
      ),
      h('tbody', {}, rows.slice(0, MOST_ROWS)),
    ),
    rows.length <= MOST_ROWS
      ? null
      : h(
          'details',
          {},
          h('summary', {}, `${rows.length - MOST_ROWS} more`),
          h('table', { class: 'seeds' }, h('tbody', {}, rows.slice(MOST_ROWS))),
        ),
  );
}

function seedRow(run: RunSummary, operations: readonly string[]): HTMLElement {
  const name = run.seed === null ? run.id : String(run.seed);
  const link = run.open
    ? h('a', { href: `/runs/${run.address}`, title: run.id, id: `run-${run.address}` }, name)
    : name;
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, link),
    h('td', {}, state(run)),
    operations.map((operation) => accuracyCell(run.accuracy?.[operation])),
  );
}

/** The state as a badge, and how far a run has come that is not at its end. */
export function state(run: RunSummary): HTMLElement {
  const badge = h('span', { class: `badge ${run.status}` }, statusWord(run.status));
  if (run.steps === null || run.status === 'budget' || run.status === 'solved') {
    return h('span', { class: 'state' }, badge);
  }
  return h(
    'span',
    { class: 'state' },
    badge,
    h('progress', { max: run.steps, value: Math.min(run.step, run.steps), 'aria-label': 'steps done' }),
    h('span', { class: 'muted small' }, `${whole(run.step)} / ${whole(run.steps)}`),
  );
}

function accuracyCell(accuracy: number | undefined): HTMLElement {
  if (accuracy === undefined) return h('td', { class: 'right muted' }, '–');
  const share = Math.min(1, Math.max(0, accuracy));
  return h(
    'td',
    { class: 'right accuracy' },
    s(
      'svg',
      { class: 'bar', viewBox: '0 0 100 4', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      s('rect', { class: 'bar-back', width: 100, height: 4 }),
      s('rect', { class: 'bar-fill', width: share * 100, height: 4 }),
    ),
    percent(accuracy),
  );
}
