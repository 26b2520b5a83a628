/** One run: where it stands, its curves as they grow, configuration, checkpoints. */
import type { RunDetail, RunSummary } from '../contract.js';
import { getRun } from './api.js';
import { CurveStore, follow } from './live.js';
import { lineChart, type Chart, type Line } from './chart.js';
import { byId, h, put } from './dom.js';
import { bytes, colorClass, number, percent, statusWord, whole, wholePercent } from './format.js';

export async function showRun(main: HTMLElement, address: string): Promise<void> {
  const detail = await getRun(address);
  const { id } = detail.run;
  document.title = `${detail.run.label}, seed ${detail.run.seed ?? '?'} - sumlens`;
  put(byId('trail'), h('a', { href: '/' }, 'Runs'), ' / ', h('span', { 'aria-current': 'page' }, id));
  const notice = h('div', { role: 'status', class: 'notices' });
  const tiles = h('dl', { class: 'tiles' });
  const badge = h('span', {});
  const color = colorClass(detail.run.place);
  const charts = h('div', { class: `charts ${color}` });
  const view = chartsOf(detail, charts);
  put(
    main,
    h(
      'div',
      { class: `title-row ${color}` },
      h('span', { class: 'swatch' }),
      h('h1', {}, detail.run.label),
      badge,
    ),
    h('p', { class: 'muted' }, h('code', {}, id)),
    seeds(detail),
    notice,
    tiles,
    h('h2', {}, 'Learning curves'),
    charts,
    h('div', { class: 'columns' }, configuration(detail), checkpoints(detail)),
  );
  const showState = (run: RunSummary): void => {
    put(badge, h('span', { class: `badge ${run.status}` }, statusWord(run.status)));
    put(tiles, tilesOf(run));
    view.budget = run.steps ?? run.step;
    if (run.status === 'diverged') {
      put(notice, h('div', { class: 'notice bad' }, run.reason ?? 'A number stopped being finite.'));
    }
  };
  showState(detail.run);
  const store = new CurveStore();
  view.draw(store);
  follow(address, {
    curves: (event) => {
      store.add(event);
      view.draw(store);
      if (event.unreadable > 0) {
        const text = `${whole(event.unreadable)} lines of metrics.jsonl could not be read and are left out.`;
        put(notice, h('div', { class: 'notice warn' }, text));
      }
    },
    state: showState,
    gone: () =>
      put(
        notice,
        h(
          'div',
          { class: 'notice bad' },
          'The folder of this run is gone. What was drawn stays until you leave.',
        ),
      ),
    end: () => {
      // checkpoints written since the page was opened
      void getRun(address).then(
        (now) => main.querySelector('#checkpoints')?.replaceWith(checkpoints(now)),
        () => undefined,
      );
    },
    connection: (ok) => {
      if (ok) main.querySelector('.lost')?.remove();
      else if (main.querySelector('.lost') === null) {
        notice.append(h('div', { class: 'notice warn lost' }, 'The viewer does not answer; trying again.'));
      }
    },
  });
}

function tilesOf(run: RunSummary): HTMLElement[] {
  const tile = (name: string, value: string, note = ''): HTMLElement =>
    h(
      'div',
      { class: 'tile' },
      h('dt', {}, name),
      h('dd', {}, value, note === '' ? null : [' ', h('small', {}, note)]),
    );
  const done = run.steps === null ? '' : `of ${whole(run.steps)}`;
  return [
    tile('step', whole(run.step), done),
    tile('training loss', number(run.loss), 'nats'),
    ...Object.entries(run.accuracy ?? {}).map(([operation, share]) =>
      tile(`${operation} right`, percent(share)),
    ),
    tile('parameters', whole(run.parameters)),
    tile('seed', run.seed === null ? '–' : String(run.seed)),
  ];
}

function seeds(detail: RunDetail): HTMLElement | null {
  if (detail.siblings.length < 2) return null;
  return h(
    'nav',
    { class: 'siblings', 'aria-label': 'Seeds of this condition' },
    h('span', { class: 'muted' }, 'Seeds'),
    [...detail.siblings]
      .sort((a, b) => (a.seed ?? 0) - (b.seed ?? 0))
      .map(({ id, seed, open, address }) =>
        id === detail.run.id
          ? h('span', { class: 'chip here', 'aria-current': 'page' }, String(seed ?? id))
          : open
            ? h('a', { class: 'chip', href: `/runs/${address}` }, String(seed ?? id))
            : null,
      ),
  );
}

interface ChartsView {
  budget: number;
  draw(store: CurveStore): void;
}

function chartsOf(detail: RunDetail, box: HTMLElement): ChartsView {
  const marks = [
    { value: detail.learnedAccuracy, label: `learned: ${wholePercent(detail.learnedAccuracy)}` },
  ];
  if (detail.run.chance !== null) {
    marks.push({ value: detail.run.chance, label: `uniform guess: ${percent(detail.run.chance)}` });
  }
  const accuracy = lineChart({
    title: 'Result accuracy by operation',
    note: 'The one new number of each reduction, greedy. Faint: operands held out of training.',
    format: percent,
    tickFormat: wholePercent,
    domain: [0, 1],
    marks,
  });
  const loss = lineChart({
    title: 'Training loss',
    note: 'Mean over target tokens, nats.',
    format: number,
    canBeLogarithmic: true,
  });
  const role = lineChart({
    title: 'Loss by role of the token',
    note: 'A perfect copier that adds at chance has a low total: only the result line shows it. Nats.',
    format: number,
    canBeLogarithmic: true,
  });
  const divisor = lineChart({
    title: 'SUM right modulo the divisors of n',
    note: 'SUM is often learned coset by coset: a plateau at 50 % is the result known up to parity.',
    format: percent,
    tickFormat: wholePercent,
    domain: [0, 1],
  });
  box.append(accuracy.element, loss.element, role.element, divisor.element);
  const view: ChartsView = {
    budget: 1,
    draw: (store) => {
      const operations = store.lines('accuracy');
      const held = store
        .lines('held', (name) => `${name}, held out`)
        .map((line): Line => ({ ...line, faint: true }));
      accuracy.update([...operations, ...held], view.budget);
      loss.update(store.lines('loss'), view.budget);
      show(role, store.lines('role'), view.budget);
      const divisors = store.lines('divisor', (name) => `mod ${name}`);
      show(divisor, divisors, view.budget);
    },
  };
  return view;
}

/** A chart that not every run has is there only when it has a curve. */
function show(chart: Chart, lines: readonly Line[], last: number): void {
  chart.element.hidden = lines.length === 0;
  if (lines.length > 0) chart.update(lines, last);
}

function configuration(detail: RunDetail): HTMLElement {
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'config-title' },
    h('h2', { id: 'config-title' }, 'Configuration'),
    detail.config.map(([section, fields]) => [
      h('h3', {}, section),
      h(
        'dl',
        { class: 'fields' },
        fields.map(([key, value]) => h('div', {}, h('dt', {}, key), h('dd', {}, value))),
      ),
    ]),
  );
}

function checkpoints(detail: RunDetail): HTMLElement {
  const rows = detail.checkpoints.map(({ step, sizeBytes, sha256 }) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, whole(step)),
      h('td', { class: 'right' }, bytes(sizeBytes)),
      h('td', {}, h('code', {}, sha256 ?? '–')),
    ),
  );
  const head = h(
    'tr',
    {},
    h('th', { scope: 'col' }, 'step'),
    h('th', { scope: 'col', class: 'right' }, 'size'),
    h('th', { scope: 'col' }, 'weights'),
  );
  return h(
    'section',
    { class: 'card', id: 'checkpoints', 'aria-labelledby': 'checkpoints-title' },
    h('h2', { id: 'checkpoints-title' }, 'Checkpoints'),
    rows.length === 0
      ? h('p', { class: 'muted' }, 'None published yet.')
      : h(
          'div',
          { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Checkpoints of this run' },
          h('table', {}, h('thead', {}, head), h('tbody', {}, rows)),
        ),
  );
}
