/* Kernels that touch each number once: activation functions, sums of rows, embeddings, gathers. */
#include "kernels.h"
#include "vec.h"
#include "vmath.h"

/* Vectors whose chains of operations overlap: WebAssembly's compilers move no load before a store. */
#define AT_ONCE (LANES / VL)

/* post = f(pre), slope = f'(pre) (NULL: not wanted; may be pre itself), n rows of M.
 * gelu(x) = x Phi(x), gelu'(x) = Phi(x) + x phi(x): the exact erf form (Hendrycks and Gimpel, arXiv 1606.08415). */
void activation_forward(real_t *post, real_t *slope, const real_t *pre, int n, int M, int relu) {
  const vf zero = v_set(0), one = v_set(1), inv_sqrt_2pi = v_set((real_t)0.39894228040143267794);
  const int Mp = padded(M);
  for (int i = 0; i < n; i++) {
    const ptrdiff_t at = (ptrdiff_t)i * row_stride(M);
    if (relu) {
      for (int j = 0; j < Mp; j += VL) {
        const vf x = v_load(pre + at + j);
        v_store(post + at + j, v_if_less(x, zero, zero, x));
        if (slope) v_store(slope + at + j, v_if_less(zero, x, one, zero));
      }
    } else {
      for (int j = 0; j < Mp; j += LANES) {
        vf x[AT_ONCE], phi[AT_ONCE], density[AT_ONCE];
        for (int v = 0; v < AT_ONCE; v++) x[v] = v_load(pre + at + j + v * VL);
        for (int v = 0; v < AT_ONCE; v++) v_normal(x[v], &phi[v], &density[v]);
        for (int v = 0; v < AT_ONCE; v++) v_store(post + at + j + v * VL, v_mul(x[v], phi[v]));
        if (!slope) continue;
        for (int v = 0; v < AT_ONCE; v++)
          v_store(slope + at + j + v * VL, v_fma(x[v], v_mul(density[v], inv_sqrt_2pi), phi[v]));
      }
    }
  }
}

/* out = a + b over n rows of C */
void add_rows(real_t *out, const real_t *a, const real_t *b, int n, int C) {
  for (int i = 0; i < n; i++) {
    const ptrdiff_t at = (ptrdiff_t)i * row_stride(C);
    for (int j = 0; j < C; j += VL) v_store(out + at + j, v_add(v_load(a + at + j), v_load(b + at + j)));
  }
}

/* sums += x, n numbers: whole groups of 16 */
void add_to(real_t *RESTRICT sums, const real_t *RESTRICT x, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i += VL) v_store(sums + i, v_add(v_load(sums + i), v_load(x + i)));
}

/* out[i] = table[ids[i]]: table [.., C] without padding, out [n, C] rows with zeros in the padding */
void gather_embedding(real_t *RESTRICT out, const real_t *RESTRICT table, const int32_t *ids, int n, int C) {
  const int Cp = padded(C);
  for (int i = 0; i < n; i++) {
    const real_t *from = table + (ptrdiff_t)ids[i] * C;
    real_t *to = out + (ptrdiff_t)i * row_stride(C);
    for (int j = 0; j < C; j++) to[j] = from[j];
    for (int j = C; j < Cp; j++) to[j] = 0;
  }
}

/* table[ids[i]] += d[i], in the order of i: the gradient of gather_embedding */
void scatter_embedding(real_t *RESTRICT table, const real_t *RESTRICT d, const int32_t *ids, int n, int C) {
  for (int i = 0; i < n; i++) {
    real_t *to = table + (ptrdiff_t)ids[i] * C;
    const real_t *from = d + (ptrdiff_t)i * row_stride(C);
    for (int j = 0; j < C; j++) to[j] += from[j];
  }
}

/* out[i] = x[rows[i]], rows of C */
void gather_rows(real_t *RESTRICT out, const real_t *RESTRICT x, const int32_t *rows, int n, int C) {
  const ptrdiff_t row = row_stride(C);
  for (int i = 0; i < n; i++) copy_reals(out + i * row, x + rows[i] * row, padded(C));
}

/* x[rows[i]] += d[i], rows of C, each named at most once */
void scatter_add_rows(real_t *RESTRICT x, const real_t *RESTRICT d, const int32_t *rows, int n, int C) {
  const ptrdiff_t row = row_stride(C);
  for (int i = 0; i < n; i++) {
    real_t *to = x + rows[i] * row;
    const real_t *from = d + i * row;
    for (int j = 0; j < C; j += VL) v_store(to + j, v_add(v_load(to + j), v_load(from + j)));
  }
}

/* columns j .. j + nv VL - 1 of column_sums: independent chains of sums, so that none waits for itself */
ALWAYS_INLINE void sum_columns(const int nv, real_t *sums, const real_t *x, ptrdiff_t row, int n) {
  vf s[8];
  for (int v = 0; v < nv; v++) s[v] = v_load(sums + v * VL);
  for (int i = 0; i < n; i++, x += row)
    for (int v = 0; v < nv; v++) s[v] = v_add(s[v], v_load(x + v * VL));
  for (int v = 0; v < nv; v++) v_store(sums + v * VL, s[v]);
}

/* sums[j] += sum_i x[i, j], a chain over i in order; sums has n_columns numbers, x whole vectors */
void column_sums(real_t *sums, const real_t *x, ptrdiff_t row, int n, int n_columns) {
  int j = 0;
  for (; j + 8 * VL <= n_columns; j += 8 * VL) sum_columns(8, sums + j, x + j, row, n);
  for (; j + 2 * VL <= n_columns; j += 2 * VL) sum_columns(2, sums + j, x + j, row, n);
  for (; j < n_columns; j += VL) {
    real_t part[VL];
    const int count = n_columns - j < VL ? n_columns - j : VL;
    for (int r = 0; r < VL; r++) part[r] = r < count ? sums[j + r] : 0;
    sum_columns(1, part, x + j, row, n);
    for (int r = 0; r < count; r++) sums[j + r] = part[r];
  }
}
