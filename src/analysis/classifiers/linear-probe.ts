/**
 * The linear probes: ridge logistic regression with an intercept that is not penalised (Newton, with many features
 * L-BFGS), and ridge regression.
 * Features are centred on the training rows and divided by one scalar, so that their mean squared norm is 1; the penalty
 * is 1 and is never tuned. Folds and nulls are in leave-pair-out.ts, grouped-probe.ts and value-probe.ts.
 */
import { expOfNegative } from './exp-negative.js';
import { logDeterministic } from '../../tensor/math.js';
import { assertLength } from '../../tensor/shape.js';
import { choleskyInPlace, solveInPlace } from './cholesky.js';
import { LimitedMemory } from './lbfgs.js';
import { type KernelFeatures, type LogisticKernel, logisticKernel } from './logistic-kernel.js';

/** Frozen: sum of the losses + PENALTY / 2 |w|² (scikit-learn's C = 1); regression: |y - f|² + PENALTY |w|² (alpha = 1). */
export const PENALTY = 1;
const MOST_ITERATIONS = 50;
/** From so many products in a Hessian on, one for every step costs more than the steps it saves; below, Newton's method. */
const QUASI_NEWTON_FROM = 4000;
const MOST_QUASI_NEWTON = 80;
/** length of the gradient, a row; Newton's last step is quadratic, so what is left is far smaller */
const TOLERANCE = 1e-8;

/** How one fit ended. */
export interface FitReport {
  readonly converged: boolean;
  readonly iterations: number;
}

/** Counts over many fits, for the record: a probe that did not converge says nothing. */
export interface FitCounts {
  fits: number;
  notConverged: number;
  mostIterations: number;
}

export function newFitCounts(): FitCounts {
  return { fits: 0, notConverged: 0, mostIterations: 0 };
}

/** Training rows made ready for many fits with different labels. */
export interface Features extends KernelFeatures {
  /**
   * Cholesky factor of the Hessian where every probability is the share of ones and no weight is used, the first of every
   * fit: it depends on labels by their number of ones alone. Made when first asked for
   */
  readonly firstFactor: (ones: number) => Float64Array;
}

/**
 * @param x - [rows, cols] row-major, centred and scaled; shared, not copied
 * @param multiplicity - [rows] equal examples taken together; default: each row is one
 */
export function prepareFeatures(
  x: Float64Array,
  rows: number,
  cols: number,
  penalty = PENALTY,
  multiplicity: Float64Array = new Float64Array(rows).fill(1),
): Features {
  assertLength(x, rows * cols, `prepareFeatures: x [${rows},${cols}]`);
  assertLength(multiplicity, rows, `prepareFeatures: multiplicity [${rows}]`);
  const columns = transposed(x, rows, cols);
  const size = cols + 1;
  // the Hessian without penalty where every probability is 1/2, times 4
  const products = new Float64Array(size * size);
  fillHessian(products, { rows, cols, columns, penalty: 0 }, multiplicity, new Float64Array(rows));
  // a number that is not finite is in the diagonal too
  for (let j = 0; j < size; j++) {
    if (!Number.isFinite(products[j * size + j])) {
      throw new RangeError('prepareFeatures: features are not finite.');
    }
  }
  const total = multiplicity.reduce((sum, count) => sum + count, 0);
  const factors = new Map<number, Float64Array>();
  const firstFactor = (ones: number): Float64Array => {
    const curvature = (ones / total) * (1 - ones / total);
    const known = factors.get(curvature);
    if (known !== undefined) return known;
    const factor = new Float64Array(products.length);
    for (let i = 0; i < factor.length; i++) factor[i] = curvature * products[i];
    for (let j = 0; j < cols; j++) factor[j * size + j] += penalty;
    if (!choleskyInPlace(factor, size)) throw new RangeError('prepareFeatures: features are not finite.');
    factors.set(curvature, factor);
    return factor;
  };
  return { rows, cols, x, columns, penalty, multiplicity, total, firstFactor };
}

/**
 * Reusable solver: no allocation in fits. The fits run in WebAssembly where the host has it (logistic-kernel.ts), with the same
 * bits; what is written here is the reference and what runs elsewhere. Minimises sum log(1 + exp(-s f)) + penalty / 2 |w|², f = x w + b, s = ±1. With few
 * features by Newton's method; a step is halved until the gradient shrinks, which the Newton direction of a convex loss
 * allows. With more by L-BFGS from the first Hessian, and by Newton's method if that does not converge: the same optimum.
 */
export class LogisticSolver {
  /** [cols + 1] weights, then the intercept, of the last fit */
  readonly beta: Float64Array;
  private readonly gradient: Float64Array;
  private readonly hessian: Float64Array;
  private readonly step: Float64Array;
  private readonly trial: Float64Array;
  private readonly mu: Float64Array;
  private readonly residual: Float64Array;
  private readonly scratch: Float64Array;
  private readonly decisions: Float64Array;
  private readonly before: Float64Array;
  private readonly memory: LimitedMemory;

  constructor(
    private readonly maxRows: number,
    private readonly maxCols: number,
    readonly counts: FitCounts = newFitCounts(),
    private readonly kernel: LogisticKernel | null = logisticKernel(),
  ) {
    this.beta = new Float64Array(maxCols + 1);
    this.gradient = new Float64Array(maxCols + 1);
    this.hessian = new Float64Array((maxCols + 1) ** 2);
    this.step = new Float64Array(maxCols + 1);
    this.trial = new Float64Array(maxCols + 1);
    this.mu = new Float64Array(maxRows);
    this.residual = new Float64Array(maxRows);
    this.scratch = new Float64Array(maxRows);
    this.decisions = new Float64Array(maxRows);
    this.before = new Float64Array(maxCols + 1);
    this.memory = new LimitedMemory(maxCols + 1);
  }

  /**
   * Fits `beta`. With one class only there is no finite optimum: weights 0, intercept ±Infinity.
   * @param y - [rows] 1 or 0; where rows stand for several examples how many of them are 1
   */
  fit(features: Features, y: ArrayLike<number>): FitReport {
    const { rows, cols } = features;
    if (rows > this.maxRows || cols > this.maxCols) {
      throw new RangeError(
        `LogisticSolver: found [${rows},${cols}], made for at most [${this.maxRows},${this.maxCols}].`,
      );
    }
    const { beta } = this;
    const { total } = features;
    beta.fill(0);
    this.counts.fits++;
    let ones = 0;
    for (let i = 0; i < rows; i++) ones += y[i];
    if (ones === 0 || ones === total) {
      beta[cols] = ones === 0 ? -Infinity : Infinity;
      return { converged: true, iterations: 0 };
    }
    if (!Number.isFinite(ones)) {
      this.counts.notConverged++;
      return { converged: false, iterations: 0 };
    }
    // the optimum without features
    const start = logDeterministic(ones / (total - ones));
    const factor = features.firstFactor(ones);
    const task = { features, y, start, factor };
    const isQuasi = rows * cols * cols >= 2 * QUASI_NEWTON_FROM;
    const { converged, iterations } =
      this.kernel?.fit(features, y, { start, factor, isQuasi }, beta) ?? this.solve(task, isQuasi);
    if (!converged) this.counts.notConverged++;
    this.counts.mostIterations = Math.max(this.counts.mostIterations, iterations);
    return { converged, iterations };
  }

  private solve(task: Task, isQuasi: boolean): FitReport {
    const quasi = isQuasi ? this.quasiNewton(task) : undefined;
    return quasi?.converged === true ? quasi : this.newton(task);
  }

  private newton({ features, y, start, factor: firstFactor }: Task): FitReport {
    const { rows, cols, multiplicity } = features;
    const { beta, gradient, hessian, step, trial } = this;
    const size = cols + 1;
    beta.fill(0);
    beta[cols] = start;
    let norm = this.evaluate(beta, features, y);
    const enough = TOLERANCE * features.total;
    let iterations = 0;
    while (norm > enough && iterations < MOST_ITERATIONS) {
      iterations++;
      let factor = firstFactor;
      if (iterations > 1) {
        for (let i = 0; i < rows; i++) {
          this.residual[i] = multiplicity[i] * this.mu[i] * (1 - this.mu[i]);
        }
        fillHessian(hessian, features, this.residual, this.scratch);
        if (!choleskyInPlace(hessian, size)) break;
        factor = hessian;
      }
      for (let j = 0; j < size; j++) step[j] = gradient[j];
      solveInPlace(factor, size, step);
      let next = Infinity;
      for (let scale = 1; scale > 1e-8; scale /= 2) {
        for (let j = 0; j < size; j++) trial[j] = beta[j] - scale * step[j];
        next = this.evaluate(trial, features, y);
        if (next < norm) break;
      }
      if (!(next < norm)) break;
      for (let j = 0; j < size; j++) beta[j] = trial[j];
      norm = next;
    }
    return { converged: norm <= enough, iterations };
  }

  /**
   * Steps are judged by the slope along them, which for a convex loss tells how far the minimum has been overshot (the
   * approximate Wolfe condition of Hager and Zhang, SIAM J. Optim. 2005, eq. 4.1).
   */
  private quasiNewton({ features, y, start, factor }: Task): FitReport {
    const { cols } = features;
    const { beta, gradient, step, trial, before, memory } = this;
    const size = cols + 1;
    const first = (vector: Float64Array): void => solveInPlace(factor, size, vector);
    memory.forget();
    beta[cols] = start;
    let norm = this.evaluate(beta, features, y);
    const enough = TOLERANCE * features.total;
    let iterations = 0;
    while (norm > enough && iterations < MOST_QUASI_NEWTON) {
      iterations++;
      for (let j = 0; j < size; j++) step[j] = before[j] = gradient[j];
      memory.apply(step, size, first);
      let slope = 0;
      for (let j = 0; j < size; j++) slope += step[j] * before[j];
      let scale = 1;
      for (; scale > 1e-8; scale /= 2) {
        for (let j = 0; j < size; j++) trial[j] = beta[j] - scale * step[j];
        norm = this.evaluate(trial, features, y);
        let after = 0;
        for (let j = 0; j < size; j++) after += step[j] * gradient[j];
        if (after >= -0.8 * slope) break;
      }
      if (!(slope > 0) || scale <= 1e-8) break;
      memory.add(-scale, step, before, gradient, size);
      for (let j = 0; j < size; j++) beta[j] = trial[j];
    }
    return { converged: norm <= enough, iterations };
  }

  /** x w + b of one row of the last fit. @param at - where the row begins in x */
  decision(x: Float64Array, at: number, cols: number): number {
    let total = this.beta[cols];
    for (let j = 0; j < cols; j++) total += this.beta[j] * x[at + j];
    return total;
  }

  /** Gradient and probabilities at `at`. @returns Euclidean norm of the gradient */
  private evaluate(at: Float64Array, features: Features, y: ArrayLike<number>): number {
    const { gradient, mu, residual } = this;
    const { rows, cols, x, columns, penalty, multiplicity } = features;
    const { decisions } = this;
    dotsInto(decisions, at, x, rows, cols);
    let last = 0;
    for (let i = 0; i < rows; i++) {
      const f = at[cols] + decisions[i];
      const e = expOfNegative(-Math.abs(f));
      mu[i] = f >= 0 ? 1 / (1 + e) : e / (1 + e);
      residual[i] = multiplicity[i] * mu[i] - y[i];
      last += residual[i];
    }
    gradient[cols] = last;
    let total = last * last;
    dotsInto(gradient, residual, columns, cols, rows);
    for (let j = 0; j < cols; j++) {
      gradient[j] += penalty * at[j];
      total += gradient[j] * gradient[j];
    }
    return Math.sqrt(total);
  }
}

/** One fit. */
interface Task {
  readonly features: Features;
  readonly y: ArrayLike<number>;
  /** intercept to begin with */
  readonly start: number;
  /** of the Hessian there */
  readonly factor: Float64Array;
}

/** Lower triangle of Xᵀ W X + penalty I, bordered by the intercept. @param w - [rows] @param scratch - [rows]; written */
function fillHessian(
  hessian: Float64Array,
  { rows, cols, columns, penalty }: Pick<Features, 'rows' | 'cols' | 'columns' | 'penalty'>,
  w: Float64Array,
  scratch: Float64Array,
): void {
  const size = cols + 1;
  let total = 0;
  for (let i = 0; i < rows; i++) total += w[i];
  // the intercept's curvature vanishes when every row is certain
  hessian[cols * size + cols] = total + 1e-12;
  for (let j = 0; j < cols; j++) {
    let border = 0;
    for (let i = 0; i < rows; i++) {
      scratch[i] = w[i] * columns[j * rows + i];
      border += scratch[i];
    }
    hessian[cols * size + j] = border;
    dotsInto(hessian, scratch, columns, j + 1, rows, j * size);
    hessian[j * size + j] += penalty;
  }
}

/** @returns [cols, rows] */
function transposed(x: Float64Array, rows: number, cols: number): Float64Array {
  const columns = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) columns[j * rows + i] = x[i * cols + j];
  }
  return columns;
}

/**
 * out[to + i] = a · row i of b, the sums of dotAt: two rows at a time, so that each number of a is loaded once for both.
 * @param b - [rows, length]
 */
function dotsInto(
  out: Float64Array,
  a: Float64Array,
  b: Float64Array,
  rows: number,
  length: number,
  to = 0,
): void {
  const whole = length - (length & 3);
  let row = 0;
  for (; row + 1 < rows; row += 2) {
    const at = row * length;
    const next = at + length;
    // not destructured: the iterator of an array costs more than the sums
    let a1 = 0;
    let a2 = 0;
    let a3 = 0;
    let a4 = 0;
    let b1 = 0;
    let b2 = 0;
    let b3 = 0;
    let b4 = 0;
    for (let i = 0; i < whole; i += 4) {
      const x1 = a[i];
      const x2 = a[i + 1];
      const x3 = a[i + 2];
      const x4 = a[i + 3];
      a1 += x1 * b[at + i];
      a2 += x2 * b[at + i + 1];
      a3 += x3 * b[at + i + 2];
      a4 += x4 * b[at + i + 3];
      b1 += x1 * b[next + i];
      b2 += x2 * b[next + i + 1];
      b3 += x3 * b[next + i + 2];
      b4 += x4 * b[next + i + 3];
    }
    for (let i = whole; i < length; i++) {
      a1 += a[i] * b[at + i];
      b1 += a[i] * b[next + i];
    }
    out[to + row] = a1 + a2 + (a3 + a4);
    out[to + row + 1] = b1 + b2 + (b3 + b4);
  }
  if (row < rows) out[to + row] = dotAt(a, b, row * length, length);
}

/** a · b[from ..], in four sums that do not wait for each other. */
function dotAt(a: Float64Array, b: Float64Array, from: number, length: number): number {
  let i = 0;
  let first = 0;
  let second = 0;
  let third = 0;
  let fourth = 0;
  for (; i + 3 < length; i += 4) {
    first += a[i] * b[from + i];
    second += a[i + 1] * b[from + i + 1];
    third += a[i + 2] * b[from + i + 2];
    fourth += a[i + 3] * b[from + i + 3];
  }
  for (; i < length; i++) first += a[i] * b[from + i];
  return first + second + (third + fourth);
}

/** Centre and scalar scale of training rows; the same are applied to held-out rows. */
export interface Scaling {
  /** [cols] */
  readonly mean: Float64Array;
  /** divides; root of the mean squared norm of the centred rows, 1 when they are all equal */
  readonly scale: number;
}

/** @param x - [any, cols] row-major @param rows - the training rows */
export function fitScaling(x: ArrayLike<number>, cols: number, rows: ArrayLike<number>): Scaling {
  if (rows.length === 0) throw new RangeError('fitScaling: found no training rows, expected at least one.');
  const mean = new Float64Array(cols);
  for (let i = 0; i < rows.length; i++) {
    for (let j = 0; j < cols; j++) mean[j] += x[rows[i] * cols + j];
  }
  for (let j = 0; j < cols; j++) mean[j] /= rows.length;
  let total = 0;
  let size = 0;
  for (let i = 0; i < rows.length; i++) {
    for (let j = 0; j < cols; j++) {
      total += (x[rows[i] * cols + j] - mean[j]) ** 2;
      size += x[rows[i] * cols + j] ** 2;
    }
  }
  // rows that differ in their last float32 bits only carry no information
  const isConstant = total <= 1e-12 * size;
  return { mean, scale: isConstant ? 0 : Math.sqrt(total / rows.length) };
}

/** @returns [rows.length, cols] the rows, centred and scaled; zeros when the training rows are all equal */
export function applyScaling(
  x: ArrayLike<number>,
  cols: number,
  rows: ArrayLike<number>,
  { mean, scale }: Scaling,
): Float64Array {
  const out = new Float64Array(rows.length * cols);
  if (scale === 0) return out;
  for (let i = 0; i < rows.length; i++) {
    for (let j = 0; j < cols; j++) out[i * cols + j] = (x[rows[i] * cols + j] - mean[j]) / scale;
  }
  return out;
}

export interface LinearFit extends FitReport {
  /** [cols] in the scaled features */
  readonly weights: Float64Array;
  readonly intercept: number;
  readonly scaling: Scaling;
}

/** One logistic probe of whole data, scaled as above. @param x - [rows, cols] @param y - [rows] 1 or 0 */
export function fitLogisticProbe(x: ArrayLike<number>, y: ArrayLike<number>, cols: number): LinearFit {
  const rows = y.length;
  assertLength(x, rows * cols, `fitLogisticProbe: x [${rows},${cols}]`);
  const all = Int32Array.from({ length: rows }, (_, i) => i);
  const scaling = fitScaling(x, cols, all);
  const solver = new LogisticSolver(rows, cols);
  const report = solver.fit(prepareFeatures(applyScaling(x, cols, all, scaling), rows, cols), y);
  return { ...report, weights: solver.beta.slice(0, cols), intercept: solver.beta[cols], scaling };
}

/**
 * Ridge regression of several targets on the same centred features.
 * @param x - [rows, cols] scaled @param targets - each [rows]
 * @returns for each target [cols + 1]: weights, then the intercept (the target's mean)
 */
export function ridgeRegression(
  x: Float64Array,
  rows: number,
  cols: number,
  targets: readonly ArrayLike<number>[],
): Float64Array[] {
  const system = new Float64Array(cols * cols);
  const columns = transposed(x, rows, cols);
  for (let j = 0; j < cols; j++) {
    const column = columns.subarray(j * rows, (j + 1) * rows);
    dotsInto(system, column, columns, j + 1, rows, j * cols);
  }
  for (let j = 0; j < cols; j++) system[j * cols + j] += PENALTY;
  if (!choleskyInPlace(system, cols)) throw new RangeError('ridgeRegression: features are not finite.');
  const rest = new Float64Array(rows);
  return targets.map((y) => {
    let mean = 0;
    for (let i = 0; i < rows; i++) mean += y[i];
    mean /= rows;
    for (let i = 0; i < rows; i++) rest[i] = y[i] - mean;
    const out = new Float64Array(cols + 1);
    dotsInto(out, rest, columns, cols, rows);
    solveInPlace(system, cols, out);
    out[cols] = mean;
    return out;
  });
}
