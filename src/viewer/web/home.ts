/** The first page: what trains now, reports, and runs by condition. Asks again while it is looked at. */
import type { ReportSummary, RunSummary, SweepSummary } from '../contract.js';
import { getReports, getRuns, getSweeps } from './api.js';
import { byId, h, put } from './dom.js';
import { plural } from './format.js';
import { reportCard } from './report-card.js';
import { conditionCard } from './run-group.js';
import { sweepProgress } from './sweep-page.js';

const REFRESH_MS = 2000;
/** Cards shown at first, and added by each press of the button: a page of ten thousand runs is not read in one go. */
const MOST_CARDS = 24;
const MOST_UNREADABLE = 12;

export async function showHome(main: HTMLElement): Promise<void> {
  document.title = 'sumlens: runs and reports';
  const overview = h('p', { class: 'overview', role: 'status' });
  const reportBox = h('section', { 'aria-labelledby': 'reports-title' });
  const sweepBox = h('section', { 'aria-labelledby': 'sweeps-title' });
  const runBox = h('section', { 'aria-labelledby': 'runs-title' });
  const badBox = h('section', { 'aria-label': 'Folders that could not be read' });
  put(main, h('h1', {}, 'Runs and reports'), overview, sweepBox, reportBox, runBox, badBox);
  put(byId('trail'), '');
  let shown = '';
  const most = { runs: MOST_CARDS, reports: MOST_CARDS };
  let latest:
    { readonly runs: readonly RunSummary[]; readonly reports: readonly ReportSummary[] } | undefined;
  const draw = (): void => {
    if (latest === undefined) return;
    const more = (what: keyof typeof most) => (): void => {
      most[what] += MOST_CARDS;
      draw();
    };
    showReports(reportBox, latest.reports, most.reports, more('reports'));
    showRuns(runBox, latest.runs, most.runs, more('runs'));
  };
  const refresh = async (): Promise<void> => {
    const [runs, reports, sweeps] = await Promise.all([getRuns(), getReports(), getSweeps()]);
    const state = JSON.stringify([runs, reports, sweeps]);
    if (state === shown) return;
    shown = state;
    const focused = document.activeElement?.id;
    overview.textContent = overviewText(runs, reports);
    showSweeps(sweepBox, sweeps);
    latest = { runs, reports };
    draw();
    showUnreadable(badBox, runs);
    // what trains now is what one came to see
    const [first, second] = runs.some((run) => run.status === 'running')
      ? [runBox, reportBox]
      : [reportBox, runBox];
    if (first.nextElementSibling !== second) second.before(first);
    if (focused) document.getElementById(focused)?.focus();
  };
  await refresh();
  const lost = h(
    'div',
    { class: 'notice warn', role: 'status', hidden: true },
    'The viewer does not answer; trying again.',
  );
  main.prepend(lost);
  const again = async (): Promise<void> => {
    if (document.visibilityState === 'visible') {
      await refresh().then(
        () => (lost.hidden = true),
        () => (lost.hidden = false),
      );
    }
    setTimeout(() => void again(), REFRESH_MS);
  };
  setTimeout(() => void again(), REFRESH_MS);
}

function overviewText(runs: readonly RunSummary[], reports: readonly ReportSummary[]): string {
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
  return `${plural(runs.length, 'run')}${words.length > 0 ? ` (${words.join(', ')})` : ''}, ${plural(reports.length, 'report')}`;
}

/** A button that shows more; null when all is shown. */
function moreButton(id: string, left: number, what: string, press: () => void): HTMLElement | null {
  if (left <= 0) return null;
  const button = h('button', { class: 'more', type: 'button', id }, `Show more: ${plural(left, what)} left`);
  button.addEventListener('click', press);
  return button;
}

function showSweeps(box: HTMLElement, sweeps: readonly SweepSummary[]): void {
  box.hidden = sweeps.length === 0;
  put(
    box,
    h('h2', { id: 'sweeps-title' }, 'Sweeps'),
    h(
      'div',
      { class: 'cards' },
      [...sweeps]
        .sort((a, b) => Number(b.running) - Number(a.running))
        .map((sweep) =>
          h(
            'article',
            { class: 'card sweep' },
            h('h3', {}, h('a', { href: `/sweeps/${sweep.name}` }, sweep.name)),
            sweepProgress(sweep),
          ),
        ),
    ),
  );
}

function showReports(
  box: HTMLElement,
  reports: readonly ReportSummary[],
  most: number,
  more: () => void,
): void {
  put(
    box,
    h('h2', { id: 'reports-title' }, 'Reports'),
    reports.length === 0
      ? h('p', { class: 'muted empty' }, 'No report yet. ', h('code', {}, 'sumlens compare'), ' writes one.')
      : h('div', { class: 'cards' }, reports.slice(0, most).map(reportCard)),
    moreButton('more-reports', reports.length - most, 'report', more),
  );
}

function showRuns(box: HTMLElement, runs: readonly RunSummary[], most: number, more: () => void): void {
  const groups = new Map<string, RunSummary[]>();
  for (const run of runs) {
    if (run.status === 'corrupt') continue;
    groups.set(run.condition, [...(groups.get(run.condition) ?? []), run]);
  }
  // what trains now comes first; within that, the order of labels
  const order = [...groups.values()].sort(
    (x, y) => trains(y) - trains(x) || (x[0].label < y[0].label ? -1 : 1),
  );
  put(
    box,
    h('h2', { id: 'runs-title' }, 'Runs by condition'),
    order.length === 0
      ? h(
          'p',
          { class: 'muted empty' },
          'No run yet. ',
          h('code', {}, 'sumlens run'),
          ' trains the quick experiment.',
        )
      : order.slice(0, most).map((group, i) => conditionCard(group[0].label, group, i)),
    moreButton('more-conditions', order.length - most, 'condition', more),
  );
}

function trains(group: readonly RunSummary[]): number {
  return group.some((run) => run.status === 'running') ? 1 : 0;
}

function showUnreadable(box: HTMLElement, runs: readonly RunSummary[]): void {
  const bad = runs.filter((run) => run.status === 'corrupt');
  put(
    box,
    bad.length === 0
      ? null
      : [
          h('h2', {}, 'Not readable'),
          h(
            'ul',
            { class: 'card unreadable' },
            bad
              .slice(0, MOST_UNREADABLE)
              .map((run) =>
                h('li', {}, h('code', {}, run.id), h('span', {}, run.reason ?? 'no reason known')),
              ),
          ),
          bad.length <= MOST_UNREADABLE
            ? null
            : h(
                'details',
                { class: 'card' },
                h('summary', {}, `${bad.length - MOST_UNREADABLE} more`),
                bad.slice(MOST_UNREADABLE).map((run) => h('code', { title: run.reason ?? '' }, `${run.id} `)),
              ),
        ],
  );
}
