/** The curves of one run as they arrive, each kept at 500 points or fewer. */
import { MAX_POINTS, type CurveGroup, type CurvePoint, type CurvesEvent } from '../contract.js';
import { decimate } from '../disk/decimate.js';
import { dashOf } from './format.js';
import type { Line } from './parts/line-chart.js';

/** Every curve of the page. */
export class CurveStore {
  private readonly curves = new Map<string, { group: CurveGroup; name: string; points: CurvePoint[] }>();

  add(event: CurvesEvent): void {
    if (event.fresh) this.curves.clear();
    for (const { group, name, points } of event.curves) {
      const key = `${group}/${name}`;
      const curve = this.curves.get(key) ?? { group, name, points: [] };
      const first = points[0]?.[0] ?? Infinity;
      // a resumed run goes back to the step it resumed from
      while ((curve.points.at(-1)?.[0] ?? -1) >= first) curve.points.pop();
      curve.points.push(...points);
      if (curve.points.length > 2 * MAX_POINTS) curve.points = [...decimate(curve.points, MAX_POINTS)];
      this.curves.set(key, curve);
    }
  }

  /** The curves of one group as lines to draw. */
  lines(group: CurveGroup, name: (name: string) => string = (own) => own): Line[] {
    return [...this.curves.values()]
      .filter((curve) => curve.group === group)
      .map((curve, place) => ({
        name: name(curve.name),
        dash: dashOf(curve.name, place),
        points: decimate(curve.points, MAX_POINTS),
      }));
  }
}
