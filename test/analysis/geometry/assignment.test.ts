/** The cheapest assignment against every permutation. */
import { expect, it } from 'vitest';
import { cheapestAssignment } from '../../../src/analysis/geometry/assignment.js';
import { Rng } from '../../../src/tensor/rng.js';

function permutations(n: number): number[][] {
  if (n === 0) return [[]];
  return permutations(n - 1).flatMap((rest) =>
    Array.from({ length: n }, (_, at) => [...rest.slice(0, at), n - 1, ...rest.slice(at)]),
  );
}

const costOf = (cost: readonly (readonly number[])[], columns: readonly number[]): number =>
  columns.reduce((sum, column, row) => sum + cost[row][column], 0);

it.each([1, 2, 3, 4, 5, 6])('n = %i: no permutation is cheaper, whatever the signs and ties', (n) => {
  const rng = new Rng(n, 'assignment');
  for (let round = 0; round < 40; round++) {
    // small whole numbers, so that there are ties
    const cost = Array.from({ length: n }, () =>
      Array.from({ length: n }, () => (round % 2 === 0 ? rng.normal() : rng.below(4) - 1)),
    );
    const found = cheapestAssignment(cost);
    expect(found.toSorted((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    const least = Math.min(...permutations(n).map((columns) => costOf(cost, columns)));
    expect(costOf(cost, found)).toBeCloseTo(least, 10);
  }
});

it('takes no rows, and no matrix that is not square', () => {
  expect(cheapestAssignment([])).toEqual([]);
  expect(() => cheapestAssignment([[1, 2]])).toThrow(RangeError);
});
