/** Thins a curve to what a screen can show, keeping its extremes. Pure; browser-safe. */
import type { CurvePoint } from '../contract.js';

/**
 * Keeps the first and last point and, of each of equally many neighbours, the lowest and the highest in their order,
 * so that a spike never disappears. Points without a value count as the extreme of their group.
 * @param most - at least 4
 */
export function decimate(points: readonly CurvePoint[], most: number): readonly CurvePoint[] {
  if (points.length <= most) return points;
  const kept: CurvePoint[] = [points[0]];
  const groups = Math.floor((most - 2) / 2);
  const inner = points.length - 2;
  for (let g = 0; g < groups; g++) {
    const from = 1 + Math.floor((g * inner) / groups);
    const to = 1 + Math.floor(((g + 1) * inner) / groups);
    let low = from;
    let high = from;
    for (let i = from + 1; i < to; i++) {
      if (height(points[i]) < height(points[low])) low = i;
      if (height(points[i]) > height(points[high])) high = i;
    }
    kept.push(points[Math.min(low, high)]);
    if (low !== high) kept.push(points[Math.max(low, high)]);
  }
  kept.push(points[points.length - 1]);
  return kept;
}

function height(point: CurvePoint): number {
  return point[1] ?? Number.POSITIVE_INFINITY;
}
