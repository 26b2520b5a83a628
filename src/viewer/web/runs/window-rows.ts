/** Which of very many rows the window shows: the others are room only. */
import { useEffect, useLayoutEffect, useMemo, useState } from 'preact/hooks';

/** Rows drawn beyond both edges. */
const BEYOND = 12;
/** Rows on paper. */
const MOST_PRINTED = 2000;

export interface Shown {
  readonly from: number;
  /** first one after */
  readonly to: number;
  /** pixels above and below */
  readonly before: number;
  readonly after: number;
}

/**
 * @param body - what holds the rows
 * @param heights - of each row in pixels
 */
export function useWindowRows(
  body: { readonly current: HTMLElement | null },
  heights: readonly number[],
): Shown {
  const ends = useMemo(() => {
    const sums = new Float64Array(heights.length);
    let sum = 0;
    heights.forEach((height, i) => {
      sum += height;
      sums[i] = sum;
    });
    return sums;
  }, [heights]);
  const [range, setRange] = useState<readonly [number, number]>([0, Math.min(heights.length, 40)]);
  const measure = (): void => {
    const top = body.current?.getBoundingClientRect().top ?? 0;
    const first = Math.max(0, firstAfter(ends, -top) - BEYOND);
    const last = Math.min(ends.length, firstAfter(ends, window.innerHeight - top) + 1 + BEYOND);
    setRange((now) => (now[0] === first && now[1] === last ? now : [first, last]));
  };
  useLayoutEffect(measure, [ends]);
  useEffect(() => {
    const print = (): void => setRange([0, Math.min(ends.length, MOST_PRINTED)]);
    const options = { passive: true };
    window.addEventListener('scroll', measure, options);
    window.addEventListener('resize', measure, options);
    window.addEventListener('beforeprint', print);
    window.addEventListener('afterprint', measure);
    return () => {
      window.removeEventListener('scroll', measure);
      window.removeEventListener('resize', measure);
      window.removeEventListener('beforeprint', print);
      window.removeEventListener('afterprint', measure);
    };
  }, [ends]);
  const from = Math.min(range[0], ends.length);
  const to = Math.min(range[1], ends.length);
  const before = from === 0 ? 0 : ends[from - 1];
  const total = ends.length === 0 ? 0 : ends[ends.length - 1];
  return { from, to, before, after: to === 0 ? total : total - ends[to - 1] };
}

/** The first row that ends after a place, by halving. */
function firstAfter(ends: Float64Array, y: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle] > y) high = middle;
    else low = middle + 1;
  }
  return low;
}
