/**
 * A line chart as plain SVG: axes, reference lines, a cursor that pointer and arrow keys move, the values at the cursor
 * in the legend, and the same numbers as a table. Draws itself anew when its width or data change.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { CurvePoint } from '../../contract.js';
import { colorClass, whole } from '../format.js';
import { pathOf } from '../curves.js';
import { linearScale, logScale, type Scale } from '../scale.js';

export interface Line {
  readonly name: string;
  /** stroke-dasharray */
  readonly dash: string;
  /** colour, as of a condition; absent: that of what is around the chart */
  readonly place?: number;
  readonly faint?: boolean;
  readonly points: readonly CurvePoint[];
}

export interface LineChartProps {
  readonly title: string;
  readonly note: string;
  readonly lines: readonly Line[];
  /** right end of the step axis at least */
  readonly lastStep: number;
  readonly format: (value: number | null) => string;
  /** default: `format` */
  readonly tickFormat?: (value: number | null) => string;
  /** fixed ends of the value axis; absent: from 0, or logarithmic on request */
  readonly domain?: readonly [number, number];
  readonly canBeLogarithmic?: boolean;
  /** what the horizontal axis counts; default: step */
  readonly axis?: string;
  readonly marks?: readonly { readonly value: number; readonly label: string }[];
  /** step at which values show while the pointer is elsewhere; default: the latest */
  readonly at?: number;
}

const HEIGHT = 250;
const MARGIN = { top: 12, right: 14, bottom: 34, left: 46 };
const TABLE_ROWS = 12;
/** Of a tick label, pixels, in a wide font. */
const DIGIT_WIDTH = 7.5;

export function LineChart(props: LineChartProps) {
  const { title, note, lines, canBeLogarithmic = false } = props;
  const plot = useRef<HTMLDivElement>(null);
  const width = useWidth(plot);
  const [pointed, setCursor] = useState<number | undefined>(undefined);
  const cursor = pointed ?? props.at;
  const [isLogarithmic, setLogarithmic] = useState(false);
  const lastStep = Math.max(1, props.lastStep, ...lines.map((line) => line.points.at(-1)?.[0] ?? 0));
  const steps = (): number[] => stepsOf(lines);
  const follow = (event: PointerEvent): void => {
    const box = plot.current?.getBoundingClientRect();
    const all = steps();
    if (box === undefined || all.length === 0) return;
    const share = (event.clientX - box.left - MARGIN.left) / (box.width - MARGIN.left - MARGIN.right);
    setCursor(all[nearestIndex(all, share * lastStep)]);
  };
  const move = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    const all = steps();
    if (by === undefined || all.length === 0) return;
    event.preventDefault();
    // the first arrow shows the latest values; from there on it moves
    const from = cursor === undefined ? all.length - 1 - Math.sign(by) : nearestIndex(all, cursor);
    setCursor(all[Math.min(all.length - 1, Math.max(0, from + by))]);
  };
  const x = linearScale(0, lastStep, width < 420 ? 4 : 7, true);
  const y = valueScale(props, isLogarithmic);
  return (
    <figure class="card chart">
      <figcaption>
        <h3>{title}</h3>
        {canBeLogarithmic && (
          <button
            type="button"
            class="quiet small"
            aria-pressed={isLogarithmic}
            aria-label={`log axis of ${title}`}
            onClick={() => setLogarithmic(!isLogarithmic)}
          >
            log
          </button>
        )}
        <p class="muted">{note}</p>
      </figcaption>
      <Legend {...props} cursor={cursor} />
      <div
        ref={plot}
        class="plot"
        tabIndex={0}
        role="group"
        aria-label={summary(props)}
        onPointerMove={follow}
        onPointerLeave={() => setCursor(undefined)}
        onBlur={() => setCursor(undefined)}
        onKeyDown={move}
      >
        <Picture {...props} width={width} x={x} y={y} cursor={cursor} />
      </div>
      <Numbers {...props} />
    </figure>
  );
}

/** Width of an element in pixels, as it changes. */
function useWidth(of: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(480);
  useEffect(() => {
    const element = of.current;
    if (element === null) return;
    const measure = (): void => setWidth(Math.max(240, element.clientWidth || 480));
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
  return width;
}

const stepsOf = (lines: readonly Line[]): number[] =>
  [...new Set(lines.flatMap((line) => line.points.map((point) => point[0])))].sort((a, b) => a - b);

function valueScale({ lines, domain }: LineChartProps, isLogarithmic: boolean): Scale {
  if (domain !== undefined) return linearScale(domain[0], domain[1], 5, true);
  let low = Infinity;
  let high = 0;
  for (const { points } of lines) {
    for (const [, value] of points) {
      if (value === null) continue;
      if (value > 0) low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (isLogarithmic && low < Infinity) return logScale(low * 0.9, high * 1.05);
  return linearScale(0, high || 1, 5);
}

const lineClass = ({ faint, place }: Line): string =>
  [faint === true ? 'line faint' : 'line', ...(place === undefined ? [] : [colorClass(place)])].join(' ');

interface PictureProps extends LineChartProps {
  readonly width: number;
  readonly x: Scale;
  readonly y: Scale;
  readonly cursor: number | undefined;
}

function Picture({ lines, marks = [], width, x, y, cursor, ...options }: PictureProps) {
  const right = width - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const px = (step: number): number => MARGIN.left + x.at(step) * (right - MARGIN.left);
  const py = (value: number): number => bottom - y.at(value) * (bottom - MARGIN.top);
  const tickText = options.tickFormat ?? options.format;
  return (
    <svg
      viewBox={`0 0 ${width} ${HEIGHT}`}
      width={width}
      height={HEIGHT}
      aria-hidden="true"
      focusable="false"
    >
      {y.ticks.map((tick) => (
        <g key={`y${tick}`}>
          <line class="grid" x1={MARGIN.left} x2={right} y1={py(tick)} y2={py(tick)} />
          <text class="tick end" x={MARGIN.left - 7} y={py(tick) + 3.5}>
            {tickText(tick)}
          </text>
        </g>
      ))}
      {x.ticks.map((tick) => (
        <StepLabel key={`x${tick}`} text={whole(tick)} x={px(tick)} y={bottom + 16} width={width} />
      ))}
      <line class="axis" x1={MARGIN.left} x2={right} y1={bottom} y2={bottom} />
      <text class="tick end" x={right} y={HEIGHT - 3}>
        {options.axis ?? 'step'}
      </text>
      {marks
        .filter(({ value }) => value >= y.low && value <= y.high)
        .map(({ value, label }) => (
          <g key={label}>
            <line class="mark" x1={MARGIN.left} x2={right} y1={py(value)} y2={py(value)} />
            <text class="mark-label end" x={right - 2} y={py(value) + (y.at(value) > 0.8 ? 13 : -4)}>
              {label}
            </text>
          </g>
        ))}
      {lines.map((line) => (
        <path
          key={line.name}
          class={lineClass(line)}
          stroke-dasharray={line.dash}
          d={pathOf(line.points, px, py)}
        />
      ))}
      {cursor !== undefined && (
        <>
          <line class="cursor" x1={px(cursor)} x2={px(cursor)} y1={MARGIN.top} y2={bottom} />
          {lines.map((line) => {
            const value = valueAt(line.points, cursor);
            if (value === null) return null;
            const color = line.place === undefined ? '' : colorClass(line.place);
            return <circle key={line.name} class={`dot ${color}`} cx={px(cursor)} cy={py(value)} r={3.5} />;
          })}
        </>
      )}
    </svg>
  );
}

interface StepLabelProps {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** A step below its tick; beside the right edge it ends there, so that no digit is cut off in the widest of fonts. */
function StepLabel({ text, x, y, width }: StepLabelProps) {
  const isBeyond = x + (text.length * DIGIT_WIDTH) / 2 > width;
  return (
    <text class={isBeyond ? 'tick end' : 'tick middle'} x={isBeyond ? width - 1 : x} y={y}>
      {text}
    </text>
  );
}

function Legend({ lines, format, axis, cursor }: LineChartProps & { readonly cursor: number | undefined }) {
  return (
    <ul class="legend">
      {lines.map((line) => {
        const value = cursor === undefined ? (line.points.at(-1)?.[1] ?? null) : valueAt(line.points, cursor);
        const color = line.place === undefined ? '' : colorClass(line.place);
        return (
          <li key={line.name}>
            <svg class={`stroke ${color}`} viewBox="0 0 26 6" aria-hidden="true" focusable="false">
              <path class={line.faint === true ? 'faint' : ''} stroke-dasharray={line.dash} d="M0 3h26" />
            </svg>
            <span class="name">{line.name}</span>
            <b>{format(value)}</b>
          </li>
        );
      })}
      <li class="muted at">{cursor === undefined ? 'latest' : `at ${axis ?? 'step'} ${whole(cursor)}`}</li>
    </ul>
  );
}

/** The same numbers as a table, made when it is opened. */
function Numbers({ title, lines, format, axis }: LineChartProps) {
  const [isOpen, setOpen] = useState(false);
  const all = isOpen ? stepsOf(lines) : [];
  const every = Math.max(1, Math.ceil(all.length / TABLE_ROWS));
  const rows = all.filter((_, i) => (all.length - 1 - i) % every === 0);
  return (
    <details class="numbers" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Numbers</summary>
      {isOpen && (
        <div class="scroll" tabIndex={0} role="region" aria-label={`Numbers of ${title}`}>
          <table>
            <thead>
              <tr>
                <th scope="col">{axis ?? 'step'}</th>
                {lines.map((line) => (
                  <th key={line.name} scope="col">
                    {line.name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((step) => (
                <tr key={step}>
                  <th scope="row">{whole(step)}</th>
                  {lines.map((line) => (
                    <td key={line.name}>{format(valueAt(line.points, step))}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
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

function summary({ title, lines, format }: LineChartProps): string {
  const parts = lines.map((line) => `${line.name} ${format(line.points.at(-1)?.[1] ?? null)}`);
  return `${title}, latest values: ${parts.join(', ') || 'none yet'}. Arrow keys move along the steps.`;
}
