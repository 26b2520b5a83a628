/** How often each number is drawn as an operand: all alike, or with `digitSkew` a power law. */
import { expDeterministic, logDeterministic } from '../../tensor/math.js';
import type { Rng } from '../../tensor/rng.js';

interface DigitConfig {
  readonly modulus: number;
  readonly digitSkew?: number | undefined;
}

/** [n] probability of each number: (k + 1)^-digitSkew over their sum; 1/n without it. */
export function digitShares({ modulus, digitSkew = 0 }: DigitConfig): Float64Array {
  const weights = Float64Array.from({ length: modulus }, (_, k) =>
    expDeterministic(-digitSkew * logDeterministic(k + 1)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Draws numbers 0..n-1. Without a skew one draw of `below`, so that older runs keep their examples. */
export function createDigitDraw(data: DigitConfig): (rng: Rng) => number {
  const { modulus } = data;
  if (data.digitSkew === undefined) return (rng) => rng.below(modulus);
  // [n] share of the numbers up to and including each
  let sum = 0;
  const upTo = digitShares(data).map((share) => (sum += share));
  return (rng) => {
    const u = rng.uniform();
    let k = 0;
    // rounding may leave the last sum below 1
    while (k < modulus - 1 && u >= upTo[k]) k++;
    return k;
  };
}
