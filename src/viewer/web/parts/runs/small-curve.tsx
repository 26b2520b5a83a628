/** Accuracy over steps as a small picture beside the numbers, with the level of chance; decoration. */
import type { RunSummary } from '../../../contract.js';
import { pathOf } from '../../curves.js';

const WIDTH = 96;
const HEIGHT = 26;

export function SmallCurve({ run }: { readonly run: RunSummary }) {
  const last = Math.max(1, run.steps ?? run.step);
  const px = (step: number): number => 1 + (step / last) * (WIDTH - 2);
  const py = (value: number): number => HEIGHT - 2 - value * (HEIGHT - 4);
  return (
    <svg
      class="small-curve"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      aria-hidden="true"
      focusable="false"
    >
      {run.chance !== null && <line class="mark" x1={0} x2={WIDTH} y1={py(run.chance)} y2={py(run.chance)} />}
      <path class="line seed" d={pathOf(run.sparkline, px, py)} />
    </svg>
  );
}
