/** The stroke of a curve. Pure. */
import type { CurvePoint } from '../contract.js';

/** Path of one curve; it breaks where a value is missing, and a lone point becomes a dot. */
export function pathOf(
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
