/* Kernels that touch each number once: activation functions, sums of rows, embeddings, gathers. */
#include "kernels.h"
#include "vec.h"
#include "vmath.h"

/* post = f(pre), slope = f'(pre) (NULL: not wanted; may be pre itself). n is a multiple of 8.
 * gelu(x) = x Phi(x), gelu'(x) = Phi(x) + x phi(x): the exact erf form (Hendrycks and Gimpel, arXiv 1606.08415). */
void activation_forward(real_t *post, real_t *slope, const real_t *pre, ptrdiff_t n, int relu) {
  const vf zero = v_set(0), one = v_set(1), inv_sqrt_2pi = v_set((real_t)0.39894228040143267794);
  if (relu) {
    for (ptrdiff_t i = 0; i < n; i += VL) {
      const vf x = v_load(pre + i);
      v_store(post + i, v_if_less(x, zero, zero, x));
      if (slope) v_store(slope + i, v_if_less(zero, x, one, zero));
    }
    return;
  }
  for (ptrdiff_t i = 0; i < n; i += VL) {
    const vf x = v_load(pre + i);
    vf phi, density;
    v_normal(x, &phi, &density);
    v_store(post + i, v_mul(x, phi));
    if (slope) v_store(slope + i, v_fma(x, v_mul(density, inv_sqrt_2pi), phi));
  }
}

/* out = a + b; n is a multiple of 8 */
void add_rows(real_t *out, const real_t *a, const real_t *b, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i += VL) v_store(out + i, v_add(v_load(a + i), v_load(b + i)));
}

/* out[i] = table[ids[i]]: table [.., C] without padding, out [n, padded C] with zeros in the padding */
void gather_embedding(real_t *RESTRICT out, const real_t *RESTRICT table, const int32_t *ids, int n, int C) {
  const int Cp = padded(C);
  for (int i = 0; i < n; i++) {
    const real_t *from = table + (ptrdiff_t)ids[i] * C;
    real_t *to = out + (ptrdiff_t)i * Cp;
    for (int j = 0; j < C; j++) to[j] = from[j];
    for (int j = C; j < Cp; j++) to[j] = 0;
  }
}

/* table[ids[i]] += d[i], in the order of i: the gradient of gather_embedding */
void scatter_embedding(real_t *RESTRICT table, const real_t *RESTRICT d, const int32_t *ids, int n, int C) {
  const int Cp = padded(C);
  for (int i = 0; i < n; i++) {
    real_t *to = table + (ptrdiff_t)ids[i] * C;
    const real_t *from = d + (ptrdiff_t)i * Cp;
    for (int j = 0; j < C; j++) to[j] += from[j];
  }
}

/* out[i] = x[rows[i]], rows of `width` numbers */
void gather_rows(real_t *RESTRICT out, const real_t *RESTRICT x, const int32_t *rows, int n, int width) {
  for (int i = 0; i < n; i++) copy_reals(out + (ptrdiff_t)i * width, x + (ptrdiff_t)rows[i] * width, width);
}

/* x[rows[i]] += d[i], rows of `width` numbers, each row named at most once */
void scatter_add_rows(real_t *RESTRICT x, const real_t *RESTRICT d, const int32_t *rows, int n, int width) {
  for (int i = 0; i < n; i++) {
    real_t *to = x + (ptrdiff_t)rows[i] * width;
    const real_t *from = d + (ptrdiff_t)i * width;
    for (int j = 0; j < width; j++) to[j] += from[j];
  }
}

/* sums[j] += sum_i x[i, j], a chain over i in order; sums has n_columns numbers and readable padding */
void column_sums(real_t *sums, const real_t *x, ptrdiff_t row, int n, int n_columns) {
  for (int j = 0; j < n_columns; j += VL) {
    vf s = v_load(sums + j);
    for (int i = 0; i < n; i++) s = v_add(s, v_load(x + i * row + j));
    if (j + VL <= n_columns) {
      v_store(sums + j, s);
    } else {
      real_t rest[VL];
      v_store(rest, s);
      for (int r = 0; j + r < n_columns; r++) sums[j + r] = rest[r];
    }
  }
}
