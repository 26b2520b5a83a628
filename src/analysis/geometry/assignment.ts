/**
 * The cheapest one-to-one assignment (Kuhn 1955; the shortest augmenting paths of Jonker and Volgenant 1987), O(n^3).
 * Browser-safe.
 */

/**
 * @param cost - [n][n] finite
 * @returns [n] the column of each row, of least total cost
 * @throws RangeError when the matrix is not square
 */
export function cheapestAssignment(cost: readonly (readonly number[])[]): number[] {
  const n = cost.length;
  if (cost.some((row) => row.length !== n))
    throw new RangeError('cheapestAssignment: expected a square matrix.');
  // potentials of rows and columns; index 0 stands for "none"
  const u = new Float64Array(n + 1);
  const v = new Float64Array(n + 1);
  const rowOf = new Int32Array(n + 1);
  for (let row = 1; row <= n; row++) {
    const least = new Float64Array(n + 1).fill(Infinity);
    const before = new Int32Array(n + 1);
    const isDone = new Uint8Array(n + 1);
    let column = 0;
    rowOf[0] = row;
    do {
      isDone[column] = 1;
      const own = rowOf[column];
      let step = Infinity;
      let next = 0;
      for (let j = 1; j <= n; j++) {
        if (isDone[j] === 1) continue;
        const reduced = cost[own - 1][j - 1] - u[own] - v[j];
        if (reduced < least[j]) {
          least[j] = reduced;
          before[j] = column;
        }
        if (least[j] < step) {
          step = least[j];
          next = j;
        }
      }
      for (let j = 0; j <= n; j++) {
        if (isDone[j] === 1) {
          u[rowOf[j]] += step;
          v[j] -= step;
        } else least[j] -= step;
      }
      column = next;
    } while (rowOf[column] !== 0);
    while (column !== 0) {
      rowOf[column] = rowOf[before[column]];
      column = before[column];
    }
  }
  const out = new Array<number>(n).fill(0);
  for (let j = 1; j <= n; j++) out[rowOf[j] - 1] = j - 1;
  return out;
}
