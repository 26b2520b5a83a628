/** Runs of one condition: every seed's curve in one picture, every seed in one table. A mean would hide how they differ. */
import type { RunSummary } from '../../contract.js';
import { colorClass, percent, plural, whole } from '../format.js';
import { linearScale } from '../scale.js';
import { pathOf } from './line-chart.js';
import { A } from './link.js';
import { RunState } from './run-state.js';

const WIDTH = 320;
const HEIGHT = 132;
/** room for the labels of the value axis */
const LEFT = 40;
/** Accuracy from which a curve counts as learned; the line in the small picture. */
const LEARNED = 0.95;
const MOST_ROWS = 12;

interface CardProps {
  readonly runs: readonly RunSummary[];
  readonly place: number;
}

export function ConditionCard({ runs, place }: CardProps) {
  const sorted = [...runs].sort((a, b) => (a.seed ?? 0) - (b.seed ?? 0) || (a.id < b.id ? -1 : 1));
  const operations = [...new Set(sorted.flatMap((run) => run.tasks))];
  const subject = operations.includes('SUM') ? 'SUM' : (operations[0] ?? 'result');
  const title = `condition-${place}`;
  const { label } = sorted[0];
  return (
    <article class={`card condition ${colorClass(sorted[0].place)}`} aria-labelledby={title}>
      <header>
        <h3 id={title}>
          <span class="swatch" />
          {label}
        </h3>
        <p class="muted">{meta(sorted, subject)}</p>
      </header>
      <div class="condition-body">
        <figure>
          <SmallCurves runs={sorted} />
          <figcaption class="muted">{subject} accuracy over steps, one line a seed</figcaption>
        </figure>
        <div class="scroll" tabIndex={0} role="region" aria-label={`Seeds of ${label}`}>
          <SeedTable runs={sorted.slice(0, MOST_ROWS)} operations={operations} hasHead />
          {sorted.length > MOST_ROWS && (
            <details>
              <summary>{sorted.length - MOST_ROWS} more</summary>
              <SeedTable runs={sorted.slice(MOST_ROWS)} operations={operations} />
            </details>
          )}
        </div>
      </div>
    </article>
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
function SmallCurves({ runs }: { readonly runs: readonly RunSummary[] }) {
  const last = Math.max(1, ...runs.map((run) => run.steps ?? run.step));
  const x = linearScale(0, last, 4, true);
  const px = (step: number): number => LEFT + x.at(step) * (WIDTH - LEFT - 6);
  const py = (value: number): number => HEIGHT - 18 - value * (HEIGHT - 28);
  const chance = runs.find((run) => run.chance !== null)?.chance ?? null;
  return (
    <svg class="small-curves" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true" focusable="false">
      {[0, 0.5, 1].map((tick) => (
        <g key={tick}>
          <line class="grid" x1={LEFT} x2={WIDTH - 6} y1={py(tick)} y2={py(tick)} />
          <text class="tick end" x={LEFT - 5} y={py(tick) + 3.5}>{`${tick * 100} %`}</text>
        </g>
      ))}
      <text class="tick end" x={WIDTH - 6} y={HEIGHT - 4}>{`${whole(last)} steps`}</text>
      {chance !== null && (
        <>
          <line class="mark" x1={LEFT} x2={WIDTH - 6} y1={py(chance)} y2={py(chance)} />
          <text class="tick" x={LEFT} y={HEIGHT - 4}>{`dashed: chance ${percent(chance)}`}</text>
        </>
      )}
      {runs.map((run) => (
        <path key={run.id} class="line seed" d={pathOf(run.sparkline, px, py)} />
      ))}
      {runs.map((run) => {
        const [step, value] = run.sparkline.at(-1) ?? [0, null];
        return run.status === 'running' && value !== null ? (
          <circle key={run.id} class="dot live" cx={px(step)} cy={py(value)} r={3} />
        ) : null;
      })}
    </svg>
  );
}

interface SeedTableProps {
  readonly runs: readonly RunSummary[];
  readonly operations: readonly string[];
  readonly hasHead?: boolean;
}

function SeedTable({ runs, operations, hasHead = false }: SeedTableProps) {
  return (
    <table class="seeds">
      {hasHead && (
        <thead>
          <tr>
            <th scope="col">seed</th>
            <th scope="col">state</th>
            {operations.map((name) => (
              <th key={name} scope="col" class="right">
                {name}
              </th>
            ))}
          </tr>
        </thead>
      )}
      <tbody>
        {runs.map((run) => (
          <tr key={run.id}>
            <th scope="row">
              {run.open ? (
                <A to={`/runs/${run.address}`} title={run.id}>
                  {run.seed ?? run.id}
                </A>
              ) : (
                (run.seed ?? run.id)
              )}
            </th>
            <td>
              <RunState run={run} />
            </td>
            {operations.map((operation) => (
              <AccuracyCell key={operation} accuracy={run.accuracy?.[operation]} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function AccuracyCell({ accuracy }: { readonly accuracy: number | undefined }) {
  if (accuracy === undefined) return <td class="right muted">–</td>;
  const share = Math.min(1, Math.max(0, accuracy));
  return (
    <td class="right accuracy">
      <svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="bar-back" width={100} height={4} />
        <rect class="bar-fill" width={share * 100} height={4} />
      </svg>
      {percent(accuracy)}
    </td>
  );
}
