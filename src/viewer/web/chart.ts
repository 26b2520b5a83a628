/**
 * A line chart as plain SVG: axes, reference lines, a cursor that pointer and arrow keys move, the values at the cursor
 * in the legend, and the same numbers as a table. Redraws itself when its width or data change.
 */
import type { CurvePoint } from '../contract.js';
import { h, put, s } from './dom.js';
import { whole } from './format.js';
import { linearScale, logScale, type Scale } from './scale.js';

export interface Line {
  readonly name: string;
  /** stroke-dasharray; the colour is that of the condition */
  readonly dash: string;
  readonly faint?: boolean;
  readonly points: readonly CurvePoint[];
}

export interface ChartOptions {
  readonly title: string;
  readonly note: string;
  readonly format: (value: number | null) => string;
  /** default: `format` */
  readonly tickFormat?: (value: number | null) => string;
  /** fixed ends of the value axis; absent: from 0, or logarithmic on request */
  readonly domain?: readonly [number, number];
  readonly canBeLogarithmic?: boolean;
  /** what the horizontal axis counts; default: step */
  readonly axis?: string;
  readonly marks?: readonly { readonly value: number; readonly label: string }[];
}

const HEIGHT = 250;
const MARGIN = { top: 12, right: 14, bottom: 34, left: 46 };
const TABLE_ROWS = 12;
/** Of a tick label, pixels, in a wide font. */
const DIGIT_WIDTH = 7.5;

export interface Chart {
  readonly element: HTMLElement;
  /** @param lastStep - right end of the step axis at least */
  update(lines: readonly Line[], lastStep: number): void;
}

export function lineChart(options: ChartOptions): Chart {
  let lines: readonly Line[] = [];
  let lastStep = 1;
  let cursor: number | undefined;
  let logarithmic = false;
  const legend = h('ul', { class: 'legend' });
  const plot = h('div', { class: 'plot' });
  const table = h(
    'details',
    { class: 'numbers' },
    h('summary', {}, 'Numbers'),
    h('div', { class: 'scroll' }),
  );
  const scaleButton = h('button', { type: 'button', class: 'quiet small' }, 'log');
  scaleButton.setAttribute('aria-pressed', 'false');
  scaleButton.setAttribute('aria-label', `log axis of ${options.title}`);
  const element = h(
    'figure',
    { class: 'card chart' },
    h(
      'figcaption',
      {},
      h('h3', {}, options.title),
      options.canBeLogarithmic === true ? scaleButton : null,
      h('p', { class: 'muted' }, options.note),
    ),
    legend,
    plot,
    table,
  );

  const draw = (): void => {
    const width = Math.max(240, plot.clientWidth || 480);
    const x = linearScale(0, lastStep, width < 420 ? 4 : 7, true);
    const y = valueScale(lines, options, logarithmic);
    put(plot, picture(lines, options, { width, x, y, cursor }));
    put(legend, legendItems(lines, options, cursor));
  };
  const steps = (): number[] =>
    [...new Set(lines.flatMap((l) => l.points.map((p) => p[0])))].sort((a, b) => a - b);
  const setCursor = (step: number | undefined): void => {
    cursor = step;
    draw();
  };
  plot.tabIndex = 0;
  plot.setAttribute('role', 'group');
  plot.addEventListener('pointermove', (event) => {
    const box = plot.getBoundingClientRect();
    const share = (event.clientX - box.left - MARGIN.left) / (box.width - MARGIN.left - MARGIN.right);
    const all = steps();
    if (all.length > 0) setCursor(all[nearestIndex(all, share * lastStep)]);
  });
  plot.addEventListener('pointerleave', () => setCursor(undefined));
  plot.addEventListener('blur', () => setCursor(undefined));
  plot.addEventListener('keydown', (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    const all = steps();
    if (move === undefined || all.length === 0) return;
    event.preventDefault();
    // the first arrow shows the latest values; from there on it moves
    const from = cursor === undefined ? all.length - 1 - Math.sign(move) : nearestIndex(all, cursor);
    const at = from + move;
    setCursor(all[Math.min(all.length - 1, Math.max(0, at))]);
  });
  scaleButton.addEventListener('click', () => {
    logarithmic = !logarithmic;
    scaleButton.setAttribute('aria-pressed', String(logarithmic));
    draw();
  });
  table.addEventListener('toggle', () => fillTable(table, lines, options));
  new ResizeObserver(() => draw()).observe(plot);
  return {
    element,
    update: (newLines, newLast) => {
      lines = newLines;
      lastStep = Math.max(1, newLast, ...newLines.map((l) => l.points.at(-1)?.[0] ?? 0));
      plot.setAttribute('aria-label', summary(options, lines));
      draw();
      if (table.open) fillTable(table, lines, options);
    },
  };
}

interface Frame {
  readonly width: number;
  readonly x: Scale;
  readonly y: Scale;
  readonly cursor: number | undefined;
}

function valueScale(lines: readonly Line[], options: ChartOptions, logarithmic: boolean): Scale {
  if (options.domain !== undefined) return linearScale(options.domain[0], options.domain[1], 5, true);
  let low = Infinity;
  let high = 0;
  for (const { points } of lines) {
    for (const [, value] of points) {
      if (value === null) continue;
      if (value > 0) low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (logarithmic && low < Infinity) return logScale(low * 0.9, high * 1.05);
  return linearScale(0, high || 1, 5);
}

function picture(lines: readonly Line[], options: ChartOptions, frame: Frame): SVGElement {
  const { width, x, y, cursor } = frame;
  const right = width - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const px = (step: number): number => MARGIN.left + x.at(step) * (right - MARGIN.left);
  const py = (value: number): number => bottom - y.at(value) * (bottom - MARGIN.top);
  const marks = (options.marks ?? []).filter((mark) => mark.value >= y.low && mark.value <= y.high);
  return s(
    'svg',
    { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, 'aria-hidden': 'true', focusable: 'false' },
    y.ticks.map((tick) => [
      s('line', { class: 'grid', x1: MARGIN.left, x2: right, y1: py(tick), y2: py(tick) }),
      s(
        'text',
        { class: 'tick end', x: MARGIN.left - 7, y: py(tick) + 3.5 },
        (options.tickFormat ?? options.format)(tick),
      ),
    ]),
    x.ticks.map((tick) => stepLabel(whole(tick), px(tick), bottom + 16, width)),
    s('line', { class: 'axis', x1: MARGIN.left, x2: right, y1: bottom, y2: bottom }),
    s('text', { class: 'tick end', x: right, y: HEIGHT - 3 }, options.axis ?? 'step'),
    marks.map(({ value, label }) => [
      s('line', { class: 'mark', x1: MARGIN.left, x2: right, y1: py(value), y2: py(value) }),
      s(
        'text',
        { class: 'mark-label end', x: right - 2, y: py(value) + (y.at(value) > 0.8 ? 13 : -4) },
        label,
      ),
    ]),
    lines.map((line) =>
      s('path', {
        class: line.faint === true ? 'line faint' : 'line',
        'stroke-dasharray': line.dash,
        d: path(line.points, px, py),
      }),
    ),
    cursor === undefined
      ? null
      : [
          s('line', { class: 'cursor', x1: px(cursor), x2: px(cursor), y1: MARGIN.top, y2: bottom }),
          lines.map((line) => {
            const value = valueAt(line.points, cursor);
            return value === null
              ? null
              : s('circle', { class: 'dot', cx: px(cursor), cy: py(value), r: 3.5 });
          }),
        ],
  );
}

/** A step below its tick; beside the right edge it ends there, so that no digit is cut off in the widest of fonts. */
function stepLabel(text: string, x: number, y: number, width: number): SVGElement {
  const half = (text.length * DIGIT_WIDTH) / 2;
  return x + half > width
    ? s('text', { class: 'tick end', x: width - 1, y }, text)
    : s('text', { class: 'tick middle', x, y }, text);
}

/** Path of one curve; it breaks where a value is missing, and a lone point becomes a dot. */
export function path(
  points: readonly CurvePoint[],
  px: (step: number) => number,
  py: (value: number) => number,
): string {
  let d = '';
  let pen = false;
  points.forEach(([step, value], i) => {
    if (value === null) {
      pen = false;
      return;
    }
    d += `${pen ? 'L' : 'M'}${px(step).toFixed(1)} ${py(value).toFixed(1)}`;
    if (!pen && (points[i + 1]?.[1] ?? null) === null) d += 'h0.01';
    pen = true;
  });
  return d;
}

function legendItems(
  lines: readonly Line[],
  options: ChartOptions,
  cursor: number | undefined,
): HTMLElement[] {
  const items = lines.map((line) => {
    const value = cursor === undefined ? (line.points.at(-1)?.[1] ?? null) : valueAt(line.points, cursor);
    return h(
      'li',
      {},
      s(
        'svg',
        { class: 'stroke', viewBox: '0 0 26 6', 'aria-hidden': 'true', focusable: 'false' },
        s('path', { class: line.faint === true ? 'faint' : '', 'stroke-dasharray': line.dash, d: 'M0 3h26' }),
      ),
      h('span', { class: 'name' }, line.name),
      h('b', {}, options.format(value)),
    );
  });
  items.push(
    h(
      'li',
      { class: 'muted at' },
      cursor === undefined ? 'latest' : `at ${options.axis ?? 'step'} ${whole(cursor)}`,
    ),
  );
  return items;
}

/** The value at a step, or of the last point before it. */
function valueAt(points: readonly CurvePoint[], step: number): number | null {
  let found: number | null = null;
  for (const [at, value] of points) {
    if (at > step) break;
    found = value;
  }
  return found;
}

function nearestIndex(sorted: readonly number[], target: number): number {
  let best = 0;
  sorted.forEach((value, i) => {
    if (Math.abs(value - target) < Math.abs(sorted[best] - target)) best = i;
  });
  return best;
}

function summary(options: ChartOptions, lines: readonly Line[]): string {
  const parts = lines.map((l) => `${l.name} ${options.format(l.points.at(-1)?.[1] ?? null)}`);
  return `${options.title}, latest values: ${parts.join(', ') || 'none yet'}. Arrow keys move along the steps.`;
}

function fillTable(details: HTMLDetailsElement, lines: readonly Line[], options: ChartOptions): void {
  const box = details.querySelector('.scroll');
  if (box === null || !details.open) return;
  const all = [...new Set(lines.flatMap((line) => line.points.map((p) => p[0])))].sort((a, b) => a - b);
  const every = Math.max(1, Math.ceil(all.length / TABLE_ROWS));
  const rows = all.filter((_, i) => (all.length - 1 - i) % every === 0);
  box.setAttribute('tabindex', '0');
  box.setAttribute('role', 'region');
  box.setAttribute('aria-label', `Numbers of ${options.title}`);
  put(
    box,
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, options.axis ?? 'step'),
          lines.map((l) => h('th', { scope: 'col' }, l.name)),
        ),
      ),
      h(
        'tbody',
        {},
        rows.map((step) =>
          h(
            'tr',
            {},
            h('th', { scope: 'row' }, whole(step)),
            lines.map((l) => h('td', {}, options.format(valueAt(l.points, step)))),
          ),
        ),
      ),
    ),
  );
}
