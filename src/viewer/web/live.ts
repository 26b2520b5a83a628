/** Curves of one run as they arrive: the stream of events, and the store that keeps each curve at 500 points. */
import {
  MAX_POINTS,
  type CurveGroup,
  type CurvePoint,
  type CurvesEvent,
  type RunStatus,
  type RunSummary,
} from '../contract.js';
import { decimate } from '../decimate.js';
import type { Line } from './chart.js';
import { dashOf } from './format.js';

/** How long until a stopped run is looked at again. */
const RESUMED_MS = 5000;

export interface LiveHandlers {
  curves(event: CurvesEvent): void;
  state(run: RunSummary): void;
  gone(): void;
  end(): void;
  connection(ok: boolean): void;
}

/**
 * Listens until the run has ended. A hidden page lets go of its connection, of which a browser has six for one server;
 * the browser's own reconnection sends Last-Event-ID, ours begins anew.
 */
export function follow(address: string, handlers: LiveHandlers): void {
  let source: EventSource | undefined;
  let over = false;
  const stop = (): void => {
    source?.close();
    source = undefined;
  };
  const finish = (then: () => void): void => {
    over = true;
    stop();
    then();
  };
  const start = (): void => {
    if (over || source !== undefined) return;
    source = new EventSource(`/api/runs/${address}/events`);
    const on = (name: string, handler: (data: string) => void): void =>
      source?.addEventListener(name, (event) => handler(String(event.data)));
    on('curves', (data) => handlers.curves(JSON.parse(data) as CurvesEvent));
    on('state', (data) => handlers.state(JSON.parse(data) as RunSummary));
    on('gone', () => finish(() => handlers.gone()));
    on('end', (data) => {
      const { status } = JSON.parse(data) as { status: RunStatus };
      finish(() => handlers.end());
      // what was stopped may be taken up again
      if (status === 'stopped' || status === 'interrupted') {
        over = false;
        setTimeout(start, RESUMED_MS);
      }
    });
    source.onopen = () => handlers.connection(true);
    source.onerror = () => {
      if (over) return;
      handlers.connection(false);
      // an answer that is no stream (busy, gone) closes it for good: look again later
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
