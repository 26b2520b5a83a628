/** One sweep as it goes on: progress, who has learned at which size so far, curves over sizes, the last runs to finish. */
import type { SweepState, SweepSummary, SweepTable } from '../contract.js';
import { lineChart, type Chart, type Line } from './chart.js';
import { byId, h, put } from './dom.js';
import { percent, plural, whole, wholePercent } from './format.js';

/** Colours of curves before they come again. */
const COLORS = 8;

export function showSweep(main: HTMLElement, name: string): void {
  document.title = `${name} - sumlens`;
  put(byId('trail'), h('a', { href: '/' }, 'Sweeps'), ' / ', h('span', { 'aria-current': 'page' }, name));
  const notice = h('div', { role: 'status', class: 'notices' });
  const badge = h('span', {});
  const progress = h('div', { class: 'sweep-progress' });
  const tables = h('div', { class: 'sweep-tables' });
  const latest = h('section', { class: 'card', 'aria-labelledby': 'latest-title' });
  put(
    main,
    h('div', { class: 'title-row' }, h('h1', {}, name), badge),
    h('p', { class: 'frame-links' }, h('a', { href: `/reports/${name}` }, 'Report of this sweep')),
    notice,
    progress,
    h('h2', {}, 'Seeds that have learned, by size'),
    tables,
    latest,
  );
  const charts = new Map<string, TableView>();
  follow(name, {
    state: (state) => {
      put(
        badge,
        h(
          'span',
          { class: `badge ${state.running ? 'running' : 'stopped'}` },
          state.running ? 'running' : 'not running',
        ),
      );
      put(progress, sweepProgress(state));
      put(
        notice,
        state.unreadable > 0
          ? h(
              'div',
              { class: 'notice warn' },
              `${plural(state.unreadable, 'line')} of results.jsonl are no results and are left out.`,
            )
          : null,
      );
      for (const table of state.tables) {
        const view = charts.get(table.place) ?? new TableView(table.place);
        if (!charts.has(table.place)) tables.append(view.element);
        charts.set(table.place, view);
        view.update(table);
      }
      showLatest(latest, state);
    },
    gone: () => put(notice, h('div', { class: 'notice bad' }, 'There is no such sweep (any more).')),
    connection: (ok) => {
      if (ok) notice.querySelector('.lost')?.remove();
      else if (notice.querySelector('.lost') === null) {
        notice.append(h('div', { class: 'notice warn lost' }, 'The viewer does not answer; trying again.'));
      }
    },
  });
}

/** A bar where the plan is known, and the same in words. */
export function sweepProgress({ running, finished, total, share, etaMs }: SweepSummary): HTMLElement {
  const runs =
    total === null
      ? `${plural(finished, 'run')} finished`
      : `${whole(finished)} of ${plural(total, 'run')} finished`;
  const done = total !== null && finished >= total;
  const eta = !running || done || etaMs === null ? '' : `, about ${durationText(etaMs)} left`;
  const words = `${share === null ? '' : `${percent(share)} of the work, `}${runs}${eta}${done || running ? '' : ', not running now'}`;
  return h(
    'div',
    {},
    share === null ? null : h('progress', { max: 1, value: share, 'aria-label': 'work done' }),
    h('p', { class: 'muted' }, words),
  );
}

/** `3 h 5 min`, `12 min`, `40 s` */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

class TableView {
  readonly element: HTMLElement;
  private readonly box = h('div', { class: 'scroll', tabindex: 0, role: 'region' });
  private readonly chart: Chart;

  constructor(place: string) {
    this.box.setAttribute('aria-label', `Seeds that learned: ${place}`);
    this.chart = lineChart({
      title: 'Share of seeds that learned',
      note: 'Of those that have finished, by parameters.',
      format: percent,
      tickFormat: wholePercent,
      domain: [0, 1],
      axis: 'parameters',
    });
    this.element = h('section', { class: 'card' }, h('h3', {}, place), this.box, this.chart.element);
  }

  update({ sizes, rows }: SweepTable): void {
    put(
      this.box,
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, 'learned of finished'),
            sizes.map((size) => h('th', { scope: 'col', class: 'right' }, whole(size))),
          ),
        ),
        h(
          'tbody',
          {},
          rows.map(({ arm, cells }) =>
            h(
              'tr',
              {},
              h('th', { scope: 'row' }, arm),
              cells.map((cell) =>
                h(
                  'td',
                  { class: 'right' },
                  cell === null || cell.runs === 0 ? '' : `${cell.learned}/${cell.runs}`,
                  cell?.planned !== undefined && cell.planned !== null && cell.planned > cell.runs
                    ? h('small', { class: 'muted' }, ` of ${cell.planned}`)
                    : null,
                ),
              ),
            ),
          ),
        ),
      ),
    );
    const lines = rows.map(({ arm, cells }, i): Line => ({
      name: arm,
      color: i % COLORS,
      dashed: i >= COLORS,
      points: cells.flatMap((cell, k) =>
        cell === null || cell.runs === 0 ? [] : [[sizes[k], cell.learned / cell.runs] as const],
      ),
    }));
    const drawn = lines.filter(({ points }) => points.length > 0);
    this.chart.element.hidden = drawn.length === 0 || sizes.length < 2;
    if (drawn.length > 0) this.chart.update(drawn, sizes.at(-1) ?? 1);
  }
}

function showLatest(box: HTMLElement, { latest }: SweepState): void {
  put(
    box,
    h('h2', { id: 'latest-title' }, 'Finished last'),
    latest.length === 0
      ? h('p', { class: 'muted' }, 'No run has finished yet.')
      : h(
          'ul',
          { class: 'latest' },
          latest.map(({ text, operation, learned, reason, step, seconds }) =>
            h(
              'li',
              {},
              text,
              h(
                'span',
                { class: 'muted' },
                `: ${operation} ${learned ? 'learned' : 'not learned'}, ${reason} at step ${whole(step)}, ${whole(Math.round(seconds))} s`,
              ),
            ),
          ),
        ),
  );
}

interface SweepHandlers {
  state(state: SweepState): void;
  gone(): void;
  connection(ok: boolean): void;
}

/** Listens as long as the page is looked at: a hidden page lets go of its connection. */
function follow(name: string, handlers: SweepHandlers): void {
  let source: EventSource | undefined;
  let over = false;
  const stop = (): void => {
    source?.close();
    source = undefined;
  };
  const start = (): void => {
    if (over || source !== undefined) return;
    source = new EventSource(`/api/sweeps/${name}/events`);
    source.addEventListener('sweep', (event) => handlers.state(JSON.parse(String(event.data)) as SweepState));
    source.addEventListener('gone', () => {
      over = true;
      stop();
      handlers.gone();
    });
    source.onopen = () => handlers.connection(true);
    source.onerror = () => {
      if (over) return;
      handlers.connection(false);
      if (source?.readyState === EventSource.CLOSED) {
        stop();
        setTimeout(start, 3000);
      }
    };
  };
  document.addEventListener('visibilitychange', () =>
    document.visibilityState === 'visible' ? start() : stop(),
  );
  start();
}
