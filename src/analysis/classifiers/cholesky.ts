/** Small positive definite systems in place, without allocation: the inner step of every linear probe. */

/**
 * Overwrites the lower triangle of `a` with its Cholesky factor L, a = L Lᵀ.
 * @param a - [size, size] row-major, only the lower triangle is read
 * @returns false when a pivot is not positive; `a` is then spoilt
 */
export function choleskyInPlace(a: Float64Array, size: number): boolean {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let total = a[i * size + j];
      for (let k = 0; k < j; k++) total -= a[i * size + k] * a[j * size + k];
      if (i !== j) a[i * size + j] = total / a[j * size + j];
      else if (total > 0) a[i * size + i] = Math.sqrt(total);
      else return false;
    }
  }
  return true;
}

/** Solves L Lᵀ x = b in place. @param l - factor from choleskyInPlace @param b - [size]; overwritten with x */
export function solveInPlace(l: Float64Array, size: number, b: Float64Array): void {
  for (let i = 0; i < size; i++) {
    let total = b[i];
    for (let k = 0; k < i; k++) total -= l[i * size + k] * b[k];
    b[i] = total / l[i * size + i];
  }
  for (let i = size - 1; i >= 0; i--) {
    let total = b[i];
    for (let k = i + 1; k < size; k++) total -= l[k * size + i] * b[k];
    b[i] = total / l[i * size + i];
  }
}
