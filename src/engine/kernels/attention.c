/* Causal attention of one head of one sequence. Queries may be any ascending subset of the positions. */
#include "kernels.h"
#include "gemm.h"
#include "vec.h"
#include "vmath.h"

/* out[c, t] = x[t, c] for a [T, HS] slice with row stride; out [HS, padded T], zeros in the padding */
static void transpose_slice(real_t *RESTRICT out, const real_t *RESTRICT x, ptrdiff_t row, int T, int HS) {
  const int Tp = padded(T);
  for (int t = 0; t < Tp; t += VL)
    for (int c = 0; c < HS; c += VL) {
      vf tile[VL];
      for (int r = 0; r < VL; r++) tile[r] = t + r < T ? v_load(x + (t + r) * row + c) : v_set(0);
      v_transpose(tile);
      real_t *to = out + (ptrdiff_t)c * Tp + t;
      for (int r = 0; r < VL && c + r < HS; r++) v_store(to + r * Tp, tile[r]);
    }
}

/* out[i, t] = sum_c a[i, c] x[t, c] for t up to position[i] at least (later entries are undefined) */
static void products_with_rows(real_t *out, const real_t *a, ptrdiff_t a_row, const int32_t *position, int nq,
                               const real_t *x, ptrdiff_t x_row, int T, int HS, real_t *scratch) {
  const int Tp = padded(T);
  transpose_slice(scratch, x, x_row, T, HS);
  gemm_t g = {.n = 2 * LANES, .k = HS, .a_row = a_row, .a_k = 1, .b_k = Tp, .b_panel = LANES, .c_row = Tp, .c_padded = 1};
  int first = 0;
  for (int j = 0; j < Tp; j += 2 * LANES) {
    while (first < nq && position[first] < j) first++;
    if (j + 2 * LANES > Tp) g.n = LANES;
    g.m = nq - first;
    g.a = a + first * a_row;
    g.b = scratch + j;
    g.c = out + (ptrdiff_t)first * Tp + j;
    gemm(&g);
  }
}

/* scores[i, t] = q[i] . k[t], not yet scaled; [nq, padded T]; scratch [HS, padded T] */
void attention_scores(real_t *scores, const real_t *q, ptrdiff_t q_row, const int32_t *position, int nq, const real_t *k,
                      ptrdiff_t k_row, int T, int HS, real_t *scratch) {
  products_with_rows(scores, q, q_row, position, nq, k, k_row, T, HS, scratch);
}

/* softmax_row of a row that does not fit the registers */
static void softmax_long(real_t *p, int count, vf s) {
  const vf lowest = v_set(NEGATIVE_INFINITY), zero = v_set(0);
  vf greatest = lowest;
  for (int j = 0; j < count; j += VL) {
    const vf x = v_first(v_mul(v_load(p + j), s), count - j, lowest);
    v_store(p + j, x);
    greatest = v_max(greatest, x);
  }
  const vf top = v_set(v_greatest(greatest));
  vf sum[SUM_VECTORS];
  for (int v = 0; v < SUM_VECTORS; v++) sum[v] = zero;
  for (int j = 0; j < count; j += 16)
    for (int v = 0; v < SUM_VECTORS && j + v * VL < count; v++) {
      const int jv = j + v * VL;
      const vf e = v_first(v_exp(v_sub(v_load(p + jv), top)), count - jv, zero);
      v_store(p + jv, e);
      sum[v] = v_add(sum[v], e);
    }
  const vf inverse = v_set((real_t)1 / v_sum16(sum));
  for (int j = 0; j < count; j += VL) v_store(p + j, v_first(v_mul(v_load(p + j), inverse), count - j, zero));
}

/* vectors of a row that are held in registers: 64 keys or more; longer rows go through memory */
#define MOST_ROW_VECTORS (VL < 8 ? 64 / VL : 8)

/* softmax_row with nv vectors, the last of them partial or full; nv is a constant after inlining where it is small */
ALWAYS_INLINE void softmax_vectors(const int nv, vf *x, real_t *p, int count, vf scale) {
  const vf lowest = v_set(NEGATIVE_INFINITY), zero = v_set(0);
  const int left = count - (nv - 1) * VL;
  vf greatest = lowest;
  for (int v = 0; v < nv; v++) {
    x[v] = v_mul(v_load(p + v * VL), scale);
    if (v == nv - 1) x[v] = v_first(x[v], left, lowest);
    greatest = v_max(greatest, x[v]);
  }
  const vf top = v_set(v_greatest(greatest));
  vf sum[SUM_VECTORS];
  for (int v = 0; v < SUM_VECTORS; v++) sum[v] = zero;
  for (int v = 0; v < nv; v++) {
    x[v] = v_exp(v_sub(x[v], top));
    if (v == nv - 1) x[v] = v_first(x[v], left, zero);
    sum[v % SUM_VECTORS] = v_add(sum[v % SUM_VECTORS], x[v]);
  }
  const vf inverse = v_set((real_t)1 / v_sum16(sum));
  for (int v = 0; v < nv; v++) {
    const vf share = v_mul(x[v], inverse);
    v_store(p + v * VL, v == nv - 1 ? v_first(share, left, zero) : share);
  }
}

/* p[0 .. count) = softmax(scale * p), p[count .. width) = 0; width is a multiple of LANES */
ALWAYS_INLINE void softmax_one_row(real_t *p, int count, int width, real_t scale) {
  const vf s = v_set(scale);
  const int nv = (count + VL - 1) / VL;
  vf x[MOST_ROW_VECTORS];
  switch (nv) {
    case 1: softmax_vectors(1, x, p, count, s); break;
    case 2: softmax_vectors(2, x, p, count, s); break;
    case 3: softmax_vectors(3, x, p, count, s); break;
    case 4: softmax_vectors(4, x, p, count, s); break;
    case 5: softmax_vectors(5, x, p, count, s); break;
    case 6: softmax_vectors(6, x, p, count, s); break;
    default:
      if (nv <= MOST_ROW_VECTORS) softmax_vectors(nv, x, p, count, s);
      else softmax_long(p, count, s);
  }
  for (int j = nv * VL; j < width; j += VL) v_store(p + j, v_set(0));
}

void softmax_row(real_t *p, int count, int width, real_t scale) { softmax_one_row(p, count, width, scale); }

/* softmax_row of nq rows of `width` numbers, row i over its first last[i] */
void softmax_rows(real_t *p, const int32_t *last, int nq, int width, real_t scale) {
  for (int i = 0; i < nq; i++) softmax_one_row(p + (ptrdiff_t)i * width, last[i], width, scale);
}

/* z[i] = sum_t p[i, t] v[t] over t <= position[i]. last[i] = position[i] + 1. Entries of p past it are zero. */
void attention_values(real_t *z, ptrdiff_t z_row, const real_t *p, const int32_t *last, int nq, const real_t *v,
                      ptrdiff_t v_row, int T, int HS) {
  const gemm_t g = {.m = nq, .n = HS, .k = T, .a = p, .a_row = padded(T), .a_k = 1, .b = v, .b_k = v_row,
                    .b_panel = LANES, .c = z, .c_row = z_row, .c_padded = 0, .k_last = last};
  gemm(&g);
}

/* softmax_row_backward with nv vectors */
ALWAYS_INLINE void softmax_vectors_backward(const int nv, real_t *dp, const real_t *p, int count, vf scale) {
  const vf zero = v_set(0);
  const int left = count - (nv - 1) * VL;
  vf dot[SUM_VECTORS];
  for (int v = 0; v < SUM_VECTORS; v++) dot[v] = zero;
  for (int v = 0; v < nv; v++) {
    const vf d = v_load(dp + v * VL);
    dot[v % SUM_VECTORS] =
        v_fma(v_load(p + v * VL), v == nv - 1 ? v_first(d, left, zero) : d, dot[v % SUM_VECTORS]);
  }
  const vf mean = v_set(v_sum16(dot));
  for (int v = 0; v < nv; v++) {
    const vf d = v_load(dp + v * VL);
    const vf centred = v_sub(v == nv - 1 ? v_first(d, left, zero) : d, mean);
    v_store(dp + v * VL, v_mul(v_mul(v_load(p + v * VL), centred), scale));
  }
}

/* ds = p * (dp - sum_t p dp) * scale over the first count entries, 0 up to width; written over dp */
static void softmax_row_backward(real_t *dp, const real_t *p, int count, int width, real_t scale) {
  const vf s = v_set(scale);
  const int nv = (count + VL - 1) / VL;
  switch (nv) {
    case 1: softmax_vectors_backward(1, dp, p, count, s); break;
    case 2: softmax_vectors_backward(2, dp, p, count, s); break;
    case 3: softmax_vectors_backward(3, dp, p, count, s); break;
    case 4: softmax_vectors_backward(4, dp, p, count, s); break;
    default: softmax_vectors_backward(nv, dp, p, count, s);
  }
  for (int j = nv * VL; j < width; j += VL) v_store(dp + j, v_set(0));
}

/* Gradients of one head. p [nq, padded T] from the forward pass; dq [nq, HS], dk and dv [T, HS] written with their row
 * strides. first[t] is the first query at or past key t. scratch: [nq + HS, padded T]. */
void attention_backward(const attention_gradients *g, const real_t *p, const int32_t *position, const int32_t *last,
                        const int32_t *first, int nq, int T, int HS, real_t scale, real_t *scratch) {
  const int Tp = padded(T);
  real_t *dp = scratch, *transposed = scratch + (ptrdiff_t)nq * Tp;
  products_with_rows(dp, g->dz, g->dz_row, position, nq, g->v, g->kv_row, T, HS, transposed);
  for (int i = 0; i < nq; i++) softmax_row_backward(dp + (ptrdiff_t)i * Tp, p + (ptrdiff_t)i * Tp, last[i], Tp, scale);
  const gemm_t dq = {.m = nq, .n = HS, .k = T, .a = dp, .a_row = Tp, .a_k = 1, .b = g->k, .b_k = g->kv_row,
                     .b_panel = LANES, .c = g->dq, .c_row = g->dq_row, .k_last = last};
  gemm(&dq);
  const gemm_t dk = {.m = T, .n = HS, .k = nq, .a = dp, .a_row = 1, .a_k = Tp, .b = g->q, .b_k = g->q_row,
                     .b_panel = LANES, .c = g->dk, .c_row = g->dkv_row, .k_first = first};
  gemm(&dk);
  const gemm_t dv = {.m = T, .n = HS, .k = nq, .a = p, .a_row = 1, .a_k = Tp, .b = g->dz, .b_k = g->dz_row,
                     .b_panel = LANES, .c = g->dv, .c_row = g->dkv_row, .k_first = first};
  gemm(&dv);
}
