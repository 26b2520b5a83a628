/** Axes of a chart: positions and round ticks, linear or logarithmic. Pure. */

export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  /** position in [0, 1] */
  at(value: number): number;
}

/** About `count` round numbers that cover low..high; with `tight` the axis ends where the data end. */
export function linearScale(low: number, high: number, count: number, tight = false): Scale {
  const span = high > low ? high - low : Math.abs(low) || 1;
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((size) => size >= rough) ?? 10 * power;
  const first = tight ? Math.ceil(low / step - 1e-9) : Math.floor(low / step + 1e-9);
  const last = tight ? Math.floor((low + span) / step + 1e-9) : Math.ceil((low + span) / step - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
  const from = tight ? low : first * step;
  const to = tight ? low + span : last * step;
  return { low: from, high: to, ticks, at: (value) => (value - from) / (to - from) };
}

/** Powers of ten (with 2 and 5 where they are few) over positive data. */
export function logScale(low: number, high: number): Scale {
  const from = Math.max(low, 1e-9);
  const to = Math.max(high, from * 1.5);
  const ticks: number[] = [];
  const wide = Math.log10(to / from) > 2.5;
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++) {
    for (const m of wide ? [1] : [1, 2, 5]) {
      const tick = Number((m * 10 ** power).toPrecision(6));
      if (tick >= from && tick <= to) ticks.push(tick);
    }
  }
  const ratio = Math.log(to / from);
  return { low: from, high: to, ticks, at: (value) => Math.log(Math.max(value, from) / from) / ratio };
}
