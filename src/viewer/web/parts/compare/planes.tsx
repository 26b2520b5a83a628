/**
 * The numbers of every run in a plane, at one step of training. A number that is pointed at, or chosen, stands out in all of
 * them. The server has turned the planes, so that moving through the steps does not spin them.
 */
import type { Planes, PlaneRun } from '../../../contract/compare.js';
import { colorClass, percent, whole } from '../../format.js';
import { pointed } from '../../pointed.js';
import { useViewChange } from './change-view.js';

const SIZE = 230;
const EDGE = 16;

export interface PlanesProps {
  readonly planes: Planes;
  /** steps at which any run has a checkpoint, ascending */
  readonly steps: readonly number[];
  /** the one that shows */
  readonly step: number;
  /** the number that stands out while none is pointed at */
  readonly chosen: number | undefined;
}

export function PlanesPart({ planes, steps, step, chosen }: PlanesProps) {
  const { n, runs, reach, leftOut } = planes;
  const change = useViewChange();
  const at = Math.max(0, steps.indexOf(step));
  const move = (to: number): void => {
    const next = steps[Math.min(steps.length - 1, Math.max(0, to))];
    change({ step: next === steps.at(-1) ? undefined : String(next) });
  };
  return (
    <section aria-labelledby="planes-title">
      <h2 id="planes-title">Where the numbers lie</h2>
      <p class="muted">
        The number embeddings of each run in the first two principal components of its last checkpoint, each
        step rotated onto the last and the planes of all runs turned alike, all at one size; the thin line
        joins 0, 1, 2, ... Point at a number to see it in every plane.
      </p>
      <div class="plane-controls">
        <label>
          <span>
            Step <b>{whole(step)}</b>
          </span>
          <input
            type="range"
            min={0}
            max={steps.length - 1}
            step={1}
            value={at}
            aria-valuetext={`step ${step}`}
            onInput={(event) => move(Number(event.currentTarget.value))}
          />
        </label>
        <div class="numbers-row" role="group" aria-label="Number that stands out">
          {Array.from({ length: n }, (_, number) => (
            <button
              key={number}
              type="button"
              class="quiet small"
              aria-pressed={chosen === number}
              onPointerEnter={() => (pointed.value = number)}
              onPointerLeave={() => (pointed.value = undefined)}
              onFocus={() => (pointed.value = number)}
              onBlur={() => (pointed.value = undefined)}
              onClick={() => change({ number: chosen === number ? undefined : String(number) })}
            >
              {number}
            </button>
          ))}
        </div>
      </div>
      <div class="planes">
        {runs.map((run) => (
          <Plane key={run.run} run={run} step={step} reach={reach} chosen={chosen} />
        ))}
      </div>
      {leftOut.map(({ checkpoint, reason }) => (
        <p key={checkpoint} class="muted small">{`${checkpoint} is not drawn: ${reason}`}</p>
      ))}
    </section>
  );
}

interface PlaneProps {
  readonly run: PlaneRun;
  readonly step: number;
  readonly reach: number;
  readonly chosen: number | undefined;
}

function Plane({ run, step, reach, chosen }: PlaneProps) {
  const shown = run.steps.findLast((one) => one.step <= step) ?? run.steps[0];
  const marked = pointed.value ?? chosen;
  const change = useViewChange();
  const scale = (SIZE / 2 - EDGE) / (reach || 1);
  const px = (x: number): number => Number((SIZE / 2 + x * scale).toFixed(1));
  const py = (y: number): number => Number((SIZE / 2 - y * scale).toFixed(1));
  const line = shown.points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${px(x)} ${py(y)}`).join('');
  const name = `${run.label}, seed ${run.seed}`;
  return (
    <figure class={`card plane ${colorClass(run.place)}${marked === undefined ? '' : ' has-marked'}`}>
      <figcaption>
        <span class="swatch" />
        {name}
        <span class="muted small">{shown.step === step ? '' : ` at step ${whole(shown.step)}`}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${SIZE} ${SIZE}`}
        role="img"
        aria-label={describe(name, shown.step, run.share, shown.points)}
      >
        <line class="grid" x1={SIZE / 2} x2={SIZE / 2} y1={4} y2={SIZE - 4} />
        <line class="grid" x1={4} x2={SIZE - 4} y1={SIZE / 2} y2={SIZE / 2} />
        <path class="line joins" d={line} />
        {shown.points.map(([x, y], number) => (
          <g
            key={number}
            class="number"
            transform={`translate(${px(x)} ${py(y)})`}
            data-number={number}
            onPointerEnter={() => (pointed.value = number)}
            onPointerLeave={() => (pointed.value = undefined)}
            onClick={() => change({ number: chosen === number ? undefined : String(number) })}
          >
            <circle r={10} />
            <text class="middle" y={4.5}>
              {number}
            </text>
          </g>
        ))}
        {marked !== undefined && marked in shown.points && (
          // drawn last, over its neighbours
          <g
            class="marked"
            transform={`translate(${px(shown.points[marked][0])} ${py(shown.points[marked][1])})`}
          >
            <circle r={13} />
            <text class="middle" y={4.5}>
              {marked}
            </text>
          </g>
        )}
      </svg>
      <p class="muted small">
        {shown === run.steps.at(-1)
          ? `${percent(run.share)} of the variance lies in the plane`
          : `size ${percent(shown.size)} of that at the last step`}
      </p>
    </figure>
  );
}

/** The picture in words: the order of the numbers around the middle. */
function describe(
  name: string,
  step: number,
  share: number,
  points: readonly (readonly [number, number])[],
): string {
  const around = points
    .map(([x, y], number) => ({ number, angle: Math.atan2(y, x) }))
    .sort((a, b) => a.angle - b.angle)
    .map(({ number }) => number);
  const from = around.indexOf(0);
  const turned = [...around.slice(from), ...around.slice(0, from)];
  return `${name}, step ${step}: around the middle the numbers come as ${turned.join(', ')}; the plane holds ${percent(share)} of the variance.`;
}
