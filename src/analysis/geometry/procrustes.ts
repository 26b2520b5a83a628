/**
 * Procrustes alignment: the rotation or reflection (and scale) that lays one configuration of points on another, and the
 * generalised form that lays many on their common mean. Schoenemann 1966; Gower 1975. Alignment finds agreement in noise
 * too: read the unexplained share beside its null.
 */
import { RunError } from '../../errors.js';
import { centred, matMul, type Matrix, matrix, squaredNorm, takeRows, zeros } from '../matrix.js';
import { renaming } from './naming.js';
import { PolarFactor } from './polar.js';

export interface Alignment {
  /** [n, d] b after centring, scale and rotation, in the frame of the centred a */
  readonly aligned: Matrix;
  /** [d, d] orthogonal: aligned = scale * centred(b) * rotation */
  readonly rotation: Matrix;
  readonly scale: number;
  /** |centred(a) - aligned|^2 / |centred(a)|^2 */
  readonly residualShare: number;
}

/** Aligns b [n, d] to a [n, d]. */
export function alignTo(a: Matrix, b: Matrix, options: { readonly scaling: boolean }): Alignment {
  if (a.rows !== b.rows || a.cols !== b.cols) {
    throw new RangeError(
      `alignTo: found [${a.rows},${a.cols}] and [${b.rows},${b.cols}], expected equal shapes.`,
    );
  }
  const target = centred(a);
  const source = centred(b);
  const normTarget = squaredNorm(target);
  const normSource = squaredNorm(source);
  if (normTarget === 0 || normSource === 0) {
    throw new RunError('alignTo: all points of a configuration are equal, so it has no orientation.');
  }
  const polar = new PolarFactor(a.cols);
  const overlap = polar.of(productInto(new Float64Array(a.cols ** 2), source, target));
  const rotation = { rows: a.cols, cols: a.cols, data: polar.rotation };
  const scale = options.scaling ? overlap / normSource : 1;
  const rotated = matMul(source, rotation);
  const aligned = matrix(
    b.rows,
    b.cols,
    rotated.data.map((value) => value * scale),
  );
  const residual = normTarget - 2 * scale * overlap + scale * scale * normSource;
  return { aligned, rotation, scale, residualShare: Math.max(0, residual / normTarget) };
}

export interface GeneralisedAlignment {
  /** one [n, d] per configuration, each of norm 1 before alignment */
  readonly aligned: readonly Matrix[];
  /** [n, d] their mean */
  readonly consensus: Matrix;
  /** naming unit chosen for each configuration; 1 throughout unless `units` was given */
  readonly units: readonly number[];
  /** sum |aligned - consensus|^2 / sum |aligned|^2: 0 when all agree */
  readonly unexplainedShare: number;
  readonly iterations: number;
}

/**
 * Lays many configurations on their mean: each is centred, scaled to norm 1 and rotated, until the mean is still.
 * @param configurations - [n, d] each, at least one
 * @param options.units - let each configuration choose its naming among these (see naming.ts); default as named
 * @param options.maxIterations - default 200; fewer give a slightly larger unexplained share
 */
export function alignAll(
  configurations: readonly Matrix[],
  options: { readonly units?: readonly number[]; readonly maxIterations?: number } = {},
): GeneralisedAlignment {
  if (configurations.length === 0)
    throw new RangeError('alignAll: found no configuration, expected at least one.');
  const [{ rows, cols }] = configurations;
  const wrong = configurations.find((x) => x.rows !== rows || x.cols !== cols);
  if (wrong !== undefined) {
    throw new RangeError(
      `alignAll: found [${rows},${cols}] and [${wrong.rows},${wrong.cols}], expected equal shapes.`,
    );
  }
  // the rotation of one round is nearly that of the round before: each keeps its own
  const candidates = configurations.map((x) =>
    (options.units ?? [1]).map((unit) => ({
      unit,
      ...normed(takeRows(x, renaming(rows, unit))),
      polar: new PolarFactor(cols),
    })),
  );
  const aligned = configurations.map(() => zeros(rows, cols));
  const chosen = configurations.map(() => 1);
  const product = new Float64Array(cols * cols);
  let consensus = candidates[0][0].x;
  let iterations = 0;
  for (let change = Infinity; change > 1e-12 && iterations < (options.maxIterations ?? 200); iterations++) {
    const norm = squaredNorm(consensus);
    if (norm === 0) throw new RunError('alignAll: the configurations have no mean shape.');
    candidates.forEach((namings, which) => {
      let best = namings[0];
      let least = Infinity;
      for (const naming of namings) {
        const overlap = naming.polar.of(productInto(product, naming.x, consensus));
        // the share of the consensus that is left
        const left = Math.max(0, (norm - 2 * overlap + naming.norm) / norm);
        if (left < least - 1e-12) [best, least] = [naming, left];
      }
      chosen[which] = best.unit;
      rotateInto(aligned[which], best.x, best.polar.rotation);
    });
    const next = meanOf(aligned);
    change = squaredDistance(next, consensus);
    consensus = next;
  }
  const unexplained = aligned.reduce((sum, x) => sum + squaredDistance(x, consensus), 0);
  return { aligned, consensus, units: chosen, unexplainedShare: unexplained / aligned.length, iterations };
}

/** @param out - [d, d]; becomes aᵀ b */
function productInto(out: Float64Array, a: Matrix, b: Matrix): Float64Array {
  const { rows, cols, data } = a;
  const other = b.data;
  out.fill(0);
  for (let i = 0; i < rows; i++) {
    const from = i * cols;
    for (let j = 0; j < cols; j++) {
      const own = data[from + j];
      const to = j * cols;
      for (let k = 0; k < cols; k++) out[to + k] += own * other[from + k];
    }
  }
  return out;
}

/** out = x rotation */
function rotateInto(out: Matrix, x: Matrix, rotation: Float64Array): void {
  const { rows, cols, data } = x;
  const turned = out.data;
  turned.fill(0);
  for (let i = 0; i < rows; i++) {
    const to = i * cols;
    for (let j = 0; j < cols; j++) {
      const own = data[to + j];
      const from = j * cols;
      for (let k = 0; k < cols; k++) turned[to + k] += own * rotation[from + k];
    }
  }
}

/** Centred and of norm 1, and what rounding has made of that norm. */
function normed(configuration: Matrix): { readonly x: Matrix; readonly norm: number } {
  const x = ofNormOne(configuration);
  return { x, norm: squaredNorm(x) };
}

function ofNormOne(x: Matrix): Matrix {
  const xCentred = centred(x);
  const norm = Math.sqrt(squaredNorm(xCentred));
  if (norm === 0)
    throw new RunError('alignAll: all points of a configuration are equal, so it has no shape.');
  return matrix(
    x.rows,
    x.cols,
    xCentred.data.map((value) => value / norm),
  );
}

function meanOf(all: readonly Matrix[]): Matrix {
  const out = new Float64Array(all[0].data.length);
  for (const { data } of all) for (let i = 0; i < out.length; i++) out[i] += data[i] / all.length;
  return matrix(all[0].rows, all[0].cols, out);
}

function squaredDistance(a: Matrix, b: Matrix): number {
  const [own, other] = [a.data, b.data];
  let total = 0;
  for (let i = 0; i < own.length; i++) total += (own[i] - other[i]) ** 2;
  return total;
}
