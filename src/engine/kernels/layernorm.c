/* LayerNorm over rows of C numbers (padded rows; padding is kept zero). */
#include "kernels.h"
#include "vmath.h"

#define LAYER_NORM_EPS ((real_t)1e-5)

/* Sums over a row go 16 numbers at a time, and over the last 8 where there are 8 more: vector number i of the row adds
 * into sum i % SUM_VECTORS. `masked` is a constant after inlining: whether a row ends within a vector. */
#define EACH_VECTOR(j, v, Cp)                                        \
  for (int j##16 = 0; j##16 < (Cp); j##16 += 16)                     \
    for (int v = 0, j = j##16; v < SUM_VECTORS && j < (Cp); v++, j += VL)

ALWAYS_INLINE void forward_rows(const int masked, real_t *y, real_t *xhat, real_t *rstd, const real_t *x, const real_t *w,
                                const real_t *b, int n, int C) {
  const int Cp = padded(C);
  const ptrdiff_t row = row_stride(C);
  const real_t scale = (real_t)1 / (real_t)C;
  for (int i = 0; i < n; i++, x += row, y += row) {
    vf sum[SUM_VECTORS], square[SUM_VECTORS];
    for (int v = 0; v < SUM_VECTORS; v++) sum[v] = square[v] = v_set(0);
    EACH_VECTOR(j, v, Cp) sum[v] = v_add(sum[v], v_load(x + j));
    const vf mean = v_set(v_sum16(sum) * scale);
    EACH_VECTOR(j, v, Cp) {
      const vf d = v_sub(v_load(x + j), mean), inside = masked ? v_first(d, C - j, v_set(0)) : d;
      square[v] = v_fma(inside, inside, square[v]);
    }
    const real_t r = (real_t)1 / real_sqrt(v_sum16(square) * scale + LAYER_NORM_EPS);
    if (rstd) rstd[i] = r;
    const vf vr = v_set(r);
    for (int j = 0; j < Cp; j += VL) {
      const vf d = v_sub(v_load(x + j), mean);
      const vf h = v_mul(masked ? v_first(d, C - j, v_set(0)) : d, vr);
      if (xhat) v_store(xhat + i * row + j, h);
      v_store(y + j, v_fma(h, v_load(w + j), v_load(b + j)));
    }
  }
}

/* xhat = (x - mean) * rstd, y = xhat * w + b; rstd = 1 / sqrt(var + eps), var over C (biased).
 * Two passes: E[x^2] - E[x]^2 cancels when |mean| >> std. xhat and rstd may be NULL. */
void layernorm_forward(real_t *y, real_t *xhat, real_t *rstd, const real_t *x, const real_t *w, const real_t *b, int n,
                       int C) {
  /* widths whose loops are worth unrolling */
  if (C == 16) forward_rows(0, y, xhat, rstd, x, w, b, n, 16);
  else if (C == 32) forward_rows(0, y, xhat, rstd, x, w, b, n, 32);
  else if (C == 64) forward_rows(0, y, xhat, rstd, x, w, b, n, 64);
  else if (C % LANES == 0) forward_rows(0, y, xhat, rstd, x, w, b, n, C);
  else forward_rows(1, y, xhat, rstd, x, w, b, n, C);
}

ALWAYS_INLINE void backward_rows(const int masked, real_t *dx, const real_t *residual, const real_t *dy,
                                 const real_t *xhat, const real_t *rstd, const real_t *w, int n, int C) {
  const int Cp = padded(C);
  const real_t scale = (real_t)1 / (real_t)C;
  for (int i = 0; i < n; i++) {
    const ptrdiff_t at = (ptrdiff_t)i * row_stride(C);
    vf sum[SUM_VECTORS], dot[SUM_VECTORS];
    for (int v = 0; v < SUM_VECTORS; v++) sum[v] = dot[v] = v_set(0);
    EACH_VECTOR(j, v, Cp) {
      const vf g = v_mul(v_load(dy + at + j), v_load(w + j));
      sum[v] = v_add(sum[v], g);
      dot[v] = v_fma(g, v_load(xhat + at + j), dot[v]);
    }
    const vf mean_g = v_set(v_sum16(sum) * scale), mean_gx = v_set(v_sum16(dot) * scale);
    const vf r = v_set(rstd[i]);
    for (int j = 0; j < Cp; j += VL) {
      const vf g = v_mul(v_load(dy + at + j), v_load(w + j));
      const vf centred = v_sub(v_sub(g, mean_g), v_mul(v_load(xhat + at + j), mean_gx));
      vf d = v_mul(r, centred);
      if (masked) d = v_first(d, C - j, v_set(0));
      if (residual) d = v_add(v_load(residual + at + j), d);
      v_store(dx + at + j, d);
    }
  }
}

/* dx = rstd * (g - mean(g) - xhat * mean(g * xhat)), g = dy * w; with `residual` non-NULL dx = residual + that. */
void layernorm_backward(real_t *dx, const real_t *residual, const real_t *dy, const real_t *xhat, const real_t *rstd,
                        const real_t *w, int n, int C) {
  if (C == 16) backward_rows(0, dx, residual, dy, xhat, rstd, w, n, 16);
  else if (C == 32) backward_rows(0, dx, residual, dy, xhat, rstd, w, n, 32);
  else if (C % LANES == 0) backward_rows(0, dx, residual, dy, xhat, rstd, w, n, C);
  else backward_rows(1, dx, residual, dy, xhat, rstd, w, n, C);
}

/* columns j .. j + nv VL - 1 of layernorm_parameters */
ALWAYS_INLINE void parameter_columns(const int nv, real_t *dw, real_t *db, const real_t *dy, const real_t *xhat, int n,
                                     int C, int j) {
  const ptrdiff_t row = row_stride(C);
  vf w[4], b[4];
  for (int v = 0; v < nv; v++) {
    w[v] = v_load(dw + j + v * VL);
    b[v] = db ? v_load(db + j + v * VL) : v_set(0);
  }
  for (int i = 0; i < n; i++)
    for (int v = 0; v < nv; v++) {
      const ptrdiff_t at = i * row + j + v * VL;
      const vf d = v_load(dy + at);
      w[v] = v_fma(d, v_load(xhat + at), w[v]);
      b[v] = v_add(b[v], d);
    }
  for (int v = 0; v < nv; v++) {
    const int left = C - j - v * VL;
    v_store(dw + j + v * VL, v_first(w[v], left, v_set(0)));
    if (db) v_store(db + j + v * VL, v_first(b[v], left, v_set(0)));
  }
}

/* dw += sum_i dy[i] * xhat[i], db += sum_i dy[i], each a chain over i in order. db may be NULL. */
void layernorm_parameters(real_t *dw, real_t *db, const real_t *dy, const real_t *xhat, int n, int C) {
  int j = 0;
  for (; j + 4 * VL <= C; j += 4 * VL) parameter_columns(4, dw, db, dy, xhat, n, C, j);
  for (; j + 2 * VL <= C; j += 2 * VL) parameter_columns(2, dw, db, dy, xhat, n, C, j);
  for (; j < padded(C); j += VL) parameter_columns(1, dw, db, dy, xhat, n, C, j);
}
