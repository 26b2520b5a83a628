/** Claim C3 from the comparison of SUM-only with mixed runs: evidence goes in, the verdict function names what comes out. */
import { CLAIMS_LEVEL, claimPart } from '../../src/analysis/claims.js';
import { meanInterval, welchInterval } from '../../src/analysis/intervals.js';
import { twoSamplePermutation } from '../../src/analysis/permutation.js';
import { combineC3, withNote } from '../../src/analysis/verdict.js';
import { createHoldout } from '../../src/listops/regimes.js';
import { percent } from '../../src/report/charts/common.js';
import type { Finding } from '../../src/report/schema.js';
import { Rng } from '../../src/tensor/rng.js';
import { armCount, countText, decidePart, partFinding, placeOf, regimeNote } from '../claim-parts.js';
import type { Arm, Comparison } from './combine.js';
import { round, values } from './finding-parts.js';

/** `regime pairs, with 9.1 % of pairs held out`; the share depends on the modulus alone. */
function heldNote({ n, regime }: Comparison): string {
  const held = createHoldout({ regime: 'pairs', modulus: n, operands: [2, 3], holdoutSeed: 1 }).sets.length;
  return `regime ${regime}, with ${percent(held / ((n * (n + 1)) / 2))} of pairs held out`;
}

/** C3 as a whole, then its parts a and c. */
export function claimFindings(comparison: Comparison, suffix: string): Finding[] {
  const { sumOnly, mixed } = comparison;
  const orders = (arm: Arm | null): number[] => values(arm, 'order');
  const [alone, joint] = [orders(sumOnly), orders(mixed)];
  const circular = values(sumOnly, 'circularExcess');

  const difference =
    alone.length > 0 && joint.length > 0 ? welchInterval(joint, alone, CLAIMS_LEVEL) : undefined;
  const a = decidePart('C3a', [armCount(mixed, 'mixed'), armCount(sumOnly, 'SUM-only')], difference, [
    joint,
    alone,
  ]);
  const excess = circular.length > 0 ? meanInterval(circular, CLAIMS_LEVEL) : undefined;
  const c = decidePart('C3c', [armCount(sumOnly, 'SUM-only')], excess, [circular]);
  const parts = combineC3({ a, b: undefined, c });
  const isShort = [alone, joint].some((values) => values.length < claimPart('C3a').nMin);
  const whole = withNote(parts, isShort ? regimeNote('C3') : heldNote(comparison));

  const permutation =
    difference === undefined
      ? {}
      : {
          p: round(twoSamplePermutation(joint, alone, { rng: new Rng(0, 'probe:embedding-pca/c3a') }).p),
          pMethod: 'two-sample permutation of seeds, two-sided',
        };
  const place = placeOf(comparison);
  const count = (seeds: number): Finding['n'] => ({ seeds, examples: comparison.n });
  return [
    {
      id: `c3${suffix}`,
      claim: 'C3',
      statement: `Embeddings of SUM-only models lack structure that mixed ones have (${place}): parts a and c measured here, b (parity) not.`,
      statistic: 'parts a, b and c together',
      unit: '1',
      n: { seeds: alone.length + joint.length, examples: comparison.n },
      verdict: whole.verdict,
      reason: [whole.reason, ...whole.notes].join('; '),
    },
    partFinding('C3a', `c3a${suffix}`, a, difference, count(alone.length + joint.length), {
      statement: `Order of the numbers, mixed minus SUM-only (${place}): ${countText(mixed)}, ${countText(sumOnly)}.`,
      ...permutation,
    }),
    partFinding('C3c', `c3c${suffix}`, c, excess, count(circular.length), {
      statement: `Circular structure of SUM-only embeddings beyond chance, at the best naming (${place}): ${countText(sumOnly)}.`,
    }),
  ];
}
