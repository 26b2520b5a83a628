/**
 * The orthogonal factor of small square matrices, m = (u vᵀ) (v s vᵀ), by one-sided Jacobi rotations (Hestenes 1958; Golub and
 * Van Loan, Matrix Computations, 8.6.3): without allocation, and quickly where the last matrix was nearly the same.
 */

const MOST_SWEEPS = 60;
/** cosine of two columns that counts as a right angle */
const RIGHT = 1e-15;

export class PolarFactor {
  /** [d, d] u vᵀ of the last matrix, row-major; where m has no rank any that completes it */
  readonly rotation: Float64Array;
  /** [d, d] row j: right singular vector j, kept as the start of the next */
  private readonly v: Float64Array;
  /** [d, d] row j: m v_j, which become orthogonal */
  private readonly w: Float64Array;

  /** @param d - rows and columns */
  constructor(private readonly d: number) {
    this.rotation = new Float64Array(d * d);
    this.w = new Float64Array(d * d);
    this.v = new Float64Array(d * d);
    for (let j = 0; j < d; j++) this.v[j * d + j] = 1;
  }

  /**
   * Computes `rotation`.
   * @param m - [d, d] row-major, finite
   * @returns the sum of the singular values
   */
  of(m: Float64Array): number {
    const { d, v, w, rotation } = this;
    for (let j = 0; j < d; j++) {
      const at = j * d;
      for (let i = 0; i < d; i++) {
        const from = i * d;
        let total = 0;
        for (let k = 0; k < d; k++) total += m[from + k] * v[at + k];
        w[at + i] = total;
      }
    }
    for (let sweep = 0; sweep < MOST_SWEEPS && this.sweep(); sweep++);
    const largest = this.normalise();
    rotation.fill(0);
    for (let j = 0; j < d; j++) {
      const at = j * d;
      for (let i = 0; i < d; i++) {
        const u = w[at + i];
        const to = i * d;
        for (let k = 0; k < d; k++) rotation[to + k] += u * v[at + k];
      }
    }
    return largest;
  }

  /** Turns every pair of rows of w to a right angle. @returns whether any was turned */
  private sweep(): boolean {
    const { d, v, w } = this;
    let isTurned = false;
    for (let p = 0; p < d - 1; p++) {
      for (let q = p + 1; q < d; q++) {
        const [atP, atQ] = [p * d, q * d];
        let pp = 0;
        let qq = 0;
        let pq = 0;
        for (let k = 0; k < d; k++) {
          const a = w[atP + k];
          const b = w[atQ + k];
          pp += a * a;
          qq += b * b;
          pq += a * b;
        }
        if (!(Math.abs(pq) > RIGHT * Math.sqrt(pp * qq))) continue;
        isTurned = true;
        const zeta = (qq - pp) / (2 * pq);
        const tangent = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
        const c = 1 / Math.sqrt(1 + tangent * tangent);
        const s = c * tangent;
        for (let k = 0; k < d; k++) {
          const a = w[atP + k];
          const b = w[atQ + k];
          w[atP + k] = c * a - s * b;
          w[atQ + k] = s * a + c * b;
          const e = v[atP + k];
          const f = v[atQ + k];
          v[atP + k] = c * e - s * f;
          v[atQ + k] = s * e + c * f;
        }
      }
    }
    return isTurned;
  }

  /** Rows of w to length 1; those of no length to any that complete the others. @returns the sum of their lengths */
  private normalise(): number {
    const { d, w } = this;
    const lengths = Array.from({ length: d }, (_, j) => {
      let total = 0;
      for (let k = 0; k < d; k++) total += w[j * d + k] ** 2;
      return Math.sqrt(total);
    });
    const none = d * 2 ** -52 * Math.max(...lengths);
    const missing: number[] = [];
    lengths.forEach((length, j) => {
      if (length > none) for (let k = 0; k < d; k++) w[j * d + k] /= length;
      else missing.push(j);
    });
    for (const j of missing) w.fill(0, j * d, (j + 1) * d);
    for (const j of missing) this.complete(j);
    return lengths.reduce((sum, length) => sum + length, 0);
  }

  /** Row j of w: the axis that is farthest from the other rows, less its part along them. */
  private complete(j: number): void {
    const { d, w } = this;
    let axis = 0;
    let least = Infinity;
    for (let k = 0; k < d; k++) {
      let along = 0;
      for (let i = 0; i < d; i++) along += w[i * d + k] ** 2;
      if (along < least) [axis, least] = [k, along];
    }
    const row = w.subarray(j * d, (j + 1) * d);
    const own = new Float64Array(d);
    own[axis] = 1;
    // twice is enough (Kahan and Parlett)
    for (let turn = 0; turn < 2; turn++) {
      for (let i = 0; i < d; i++) {
        if (i === j) continue;
        let along = 0;
        for (let k = 0; k < d; k++) along += w[i * d + k] * own[k];
        for (let k = 0; k < d; k++) own[k] -= along * w[i * d + k];
      }
    }
    const length = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
    own.forEach((value, k) => (row[k] = value / length));
  }
}
