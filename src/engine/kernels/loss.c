/* Softmax cross-entropy, argmax, and the float64 sums over losses. */
#include "kernels.h"
#include "vec.h"
#include "vmath.h"

/* vectors of a row of logits that are held in registers; longer rows go through memory */
#define MOST_LOGIT_VECTORS 4

/* One row with nv vectors, the last of them partial or full; nv is a constant after inlining. d: NULL or [padded V], zeros
 * written in the padding. Nothing past V is read. @returns the loss */
ALWAYS_INLINE real_t row_loss(const int nv, real_t *d, const real_t *x, int target, int V, real_t scale) {
  const vf lowest = v_set(NEGATIVE_INFINITY), zero = v_set(0);
  const int left = V - (nv - 1) * VL;
  const real_t at_target = x[target];
  vf e[MOST_LOGIT_VECTORS], greatest = lowest;
  for (int v = 0; v < nv; v++) {
    e[v] = v == nv - 1 ? v_first(v_load_first(x + v * VL, left), left, lowest) : v_load(x + v * VL);
    greatest = v_max(greatest, e[v]);
  }
  const real_t top = v_greatest(greatest);
  const vf vtop = v_set(top);
  vf sum[SUM_VECTORS];
  for (int v = 0; v < SUM_VECTORS; v++) sum[v] = zero;
  for (int v = 0; v < nv; v++) {
    e[v] = v_exp(v_sub(e[v], vtop));
    if (v == nv - 1) e[v] = v_first(e[v], left, zero);
    sum[v % SUM_VECTORS] = v_add(sum[v % SUM_VECTORS], e[v]);
  }
  const real_t total = v_sum16(sum);
  if (d) {
    const vf factor = v_set(scale / total);
    for (int v = 0; v < nv; v++) v_store(d + v * VL, v_mul(e[v], factor));
    for (int j = nv * VL; j < padded(V); j += VL) v_store(d + j, zero);
    d[target] -= scale;
  }
  return real_log(total) + (top - at_target);
}

/* row_loss of a row that does not fit the registers; e: [padded V], d or scratch, may be x */
static real_t long_row_loss(real_t *e, int has_gradient, const real_t *x, int target, int V, real_t scale) {
  const int Vp = padded(V);
  const vf lowest = v_set(NEGATIVE_INFINITY), zero = v_set(0);
  const real_t at_target = x[target];
  vf greatest = lowest;
  for (int j = 0; j < V; j += VL) {
    const vf logits = V - j >= VL ? v_load(x + j) : v_first(v_load_first(x + j, V - j), V - j, lowest);
    v_store(e + j, logits);
    greatest = v_max(greatest, logits);
  }
  const real_t top = v_greatest(greatest);
  const vf vtop = v_set(top);
  vf sum[SUM_VECTORS];
  for (int v = 0; v < SUM_VECTORS; v++) sum[v] = zero;
  for (int j = 0; j < Vp; j += 16)
    for (int v = 0; v < SUM_VECTORS && j + v * VL < Vp; v++) {
      const int jv = j + v * VL;
      const vf t = v_first(v_exp(v_sub(v_load(e + jv), vtop)), V - jv, zero);
      v_store(e + jv, t);
      sum[v] = v_add(sum[v], t);
    }
  const real_t total = v_sum16(sum);
  if (has_gradient) {
    const vf factor = v_set(scale / total);
    for (int j = 0; j < Vp; j += VL) v_store(e + j, v_mul(v_load(e + j), factor));
    e[target] -= scale;
  }
  return real_log(total) + (top - at_target);
}

/* losses[i] = log sum exp(logits[i]) - logits[i, targets[i]] in nats. logits: rows of `row` numbers, V of them used.
 * With dlogits non-NULL (may be logits; rows of `row` numbers, at least padded V): (softmax - onehot) * scale, zeros in
 * the padding; with NULL rows of `logits` need no padding and scratch [padded V] is used. */
void cross_entropy(real_t *losses, real_t *dlogits, const real_t *logits, ptrdiff_t row, const int32_t *targets, int n,
                   int V, real_t scale, real_t *scratch) {
  const int nv = (V + VL - 1) / VL;
#define EACH_ROW(loss)                                     \
  for (int i = 0; i < n; i++) {                            \
    real_t *d = dlogits ? dlogits + i * row : NULL;        \
    const real_t *x = logits + i * row;                    \
    losses[i] = (loss);                                    \
  }                                                        \
  break
  switch (nv) {
    case 1: EACH_ROW(row_loss(1, d, x, targets[i], V, scale));
    case 2: EACH_ROW(row_loss(2, d, x, targets[i], V, scale));
    case 3: EACH_ROW(row_loss(3, d, x, targets[i], V, scale));
    case 4: EACH_ROW(row_loss(4, d, x, targets[i], V, scale));
    default: EACH_ROW(long_row_loss(d ? d : scratch, d != NULL, x, targets[i], V, scale));
  }
}

/* sum of n numbers in float64, in order */
double sum_in_order(const real_t *x, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += (double)x[i];
  return sum;
}

/* index of the greatest of n numbers, the smallest index among equals; -1 when one is NaN */
int argmax(const real_t *x, int n) {
  int best = 0;
  for (int i = 0; i < n; i++) {
    if (x[i] != x[i]) return -1;
    if (x[i] > x[best]) best = i;
  }
  return best;
}
