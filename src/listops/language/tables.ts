/**
 * The seeded tables that the control operations need: a relabelling of the numbers, a commutative Latin square that
 * is no group, a commutative table of independent entries. Pure functions of (tableSeed, modulus).
 */
import { Rng } from '../../tensor/rng.js';

/** A bijection of 0..n-1 and its inverse. */
export interface Relabelling {
  /** [n] rank of a number in the foreign order */
  readonly forward: Int32Array;
  /** [n] number at a rank */
  readonly backward: Int32Array;
}

/**
 * A random relabelling. From n = 4 on it is neither monotone nor of the form u i + c mod n, under which the
 * foreign order or the foreign group would be the usual one.
 */
export function relabelling(tableSeed: number, n: number): Relabelling {
  const rng = new Rng(tableSeed, 'table:relabelling', n);
  let forward = rng.permutation(n);
  while (n >= 4 && (isAffine(forward) || isMonotone(forward))) forward = rng.permutation(n);
  const backward = new Int32Array(n);
  for (let i = 0; i < n; i++) backward[forward[i]] = i;
  return { forward, backward };
}

function isAffine(map: Int32Array): boolean {
  const n = map.length;
  const slope = (map[1] - map[0] + n) % n;
  return map.every((value, i) => value === (map[0] + slope * i) % n);
}

function isMonotone(map: Int32Array): boolean {
  return map.every((value, i) => value === i) || map.every((value, i) => value === map.length - 1 - i);
}

/** [n, n] symmetric table of independent uniform entries. */
export function randomTable(tableSeed: number, n: number): Int32Array {
  const rng = new Rng(tableSeed, 'table:random', n);
  const table = new Int32Array(n * n);
  for (let a = 0; a < n; a++) {
    for (let b = a; b < n; b++) table[a * n + b] = table[b * n + a] = rng.below(n);
  }
  return table;
}

/**
 * [n, n] random symmetric Latin square. From n = 6 on it is isotopic to no group (for smaller n there may be no
 * other kind), so that neither addition nor any renaming of it can produce it.
 */
export function latinSquare(tableSeed: number, n: number): Int32Array {
  const rng = new Rng(tableSeed, 'table:latin', n);
  let square = symmetricLatinSquare(rng, n);
  while (n >= 6 && isGroupIsotope(square, n)) square = symmetricLatinSquare(rng, n);
  return square;
}

/**
 * Hill climbing (Dinitz and Stinson, "A hill-climbing algorithm for the construction of one-factorizations and Room
 * squares", 1987): vertices are numbers, the edge {x, y} is the cell (x, y), a colour its symbol, and every vertex
 * meets every colour once. A step colours one edge and takes the colour from at most one other, so the number of
 * coloured edges never falls. The diagonal: for even n a loop at every vertex; for odd n every symbol stands on it
 * once, so that its cells are the edges to one more vertex.
 */
function symmetricLatinSquare(rng: Rng, n: number): Int32Array {
  const loops = n % 2 === 0;
  const nVertices = loops ? n : n + 1;
  for (;;) {
    /** [nVertices, nVertices] colour of an edge, -1 none */
    const colour = new Int32Array(nVertices * nVertices).fill(-1);
    if (!loops) for (let v = 0; v < nVertices; v++) colour[v * nVertices + v] = 0;
    /** [nVertices, n] the vertex that x meets by a colour, -1 none */
    const partner = new Int32Array(nVertices * n).fill(-1);
    let left = (nVertices * (loops ? n + 1 : n)) / 2;
    for (let moves = 400 * n * n; left > 0 && moves > 0; moves--) {
      const x = rng.below(nVertices);
      const c = pick(rng, partner.subarray(x * n, x * n + n));
      const y = pick(rng, colour.subarray(x * nVertices, (x + 1) * nVertices));
      if (c === undefined || y === undefined) continue;
      const z = partner[y * n + c];
      if (z >= 0) {
        colour[y * nVertices + z] = colour[z * nVertices + y] = -1;
        partner[z * n + c] = -1;
      } else {
        left--;
      }
      colour[x * nVertices + y] = colour[y * nVertices + x] = c;
      partner[x * n + c] = y;
      partner[y * n + c] = x;
    }
    if (left > 0) continue;
    if (loops) return colour;
    return Int32Array.from({ length: n * n }, (_, i) => {
      const [x, y] = [Math.floor(i / n), i % n];
      return colour[x * nVertices + (x === y ? n : y)];
    });
  }
}

/** Place of a random -1 in `row`, or undefined when there is none. */
function pick(rng: Rng, row: Int32Array): number | undefined {
  let free = 0;
  for (const value of row) if (value < 0) free++;
  if (free === 0) return undefined;
  let skip = rng.below(free);
  return row.findIndex((value) => value < 0 && skip-- === 0);
}

/**
 * Whether a Latin square is isotopic to a group. Its principal isotope x o y = (x / 0)(0 \ y) is a loop, and a loop
 * isotopic to a group is that group (Albert 1943), so it is enough to test this one loop for associativity.
 */
export function isGroupIsotope(square: Int32Array, n: number): boolean {
  const row = new Int32Array(n);
  const column = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    row[square[i]] = i;
    column[square[i * n]] = i;
  }
  const loop = (x: number, y: number): number => square[column[x] * n + row[y]];
  for (let a = 0; a < n; a++) {
    for (let b = 0; b < n; b++) {
      for (let c = 0; c < n; c++) {
        if (loop(loop(a, b), c) !== loop(a, loop(b, c))) return false;
      }
    }
  }
  return true;
}
