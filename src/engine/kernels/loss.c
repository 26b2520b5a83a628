/* Softmax cross-entropy, argmax, and the float64 sums over losses. */
#include "kernels.h"
#include "vec.h"
#include "vmath.h"

/* losses[i] = log sum exp(logits[i]) - logits[i, targets[i]] in nats. logits: rows of `row` numbers, V of them used.
 * With dlogits non-NULL (may be logits; rows of `row` numbers, at least padded V): (softmax - onehot) * scale, zeros in
 * the padding; with NULL rows of `logits` need no padding and scratch [padded V] is used. */
void cross_entropy(real_t *losses, real_t *dlogits, const real_t *logits, ptrdiff_t row, const int32_t *targets, int n,
                   int V, real_t scale, real_t *scratch) {
  const int Vp = padded(V);
  const vf lowest = v_set(NEGATIVE_INFINITY), zero = v_set(0);
  for (int i = 0; i < n; i++) {
    const real_t *x = logits + i * row;
    real_t *e = dlogits ? dlogits + i * row : scratch;
    if (!dlogits) {
      /* rows without padding: what follows the last may be another thread's */
      for (int j = 0; j < V; j++) e[j] = x[j];
      x = e;
    }
    const real_t at_target = x[targets[i]];
    vf greatest = lowest;
    for (int j = 0; j < V; j += VL) greatest = v_max(greatest, v_first(v_load(x + j), V - j, lowest));
    real_t lanes[VL];
    v_store(lanes, greatest);
    real_t top = lanes[0];
    for (int r = 1; r < VL; r++) top = lanes[r] > top ? lanes[r] : top;
    const vf vtop = v_set(top);
    vf sum[SUM_VECTORS];
    for (int v = 0; v < SUM_VECTORS; v++) sum[v] = zero;
    for (int j = 0; j < Vp; j += 16)
      for (int v = 0; v < SUM_VECTORS && j + v * VL < Vp; v++) {
        const int jv = j + v * VL;
        const vf t = v_first(v_exp(v_sub(v_load(x + jv), vtop)), V - jv, zero);
        v_store(e + jv, t);
        sum[v] = v_add(sum[v], t);
      }
    const real_t total = v_sum16(sum);
    losses[i] = real_log(total) + (top - at_target);
    if (dlogits) {
      const vf factor = v_set(scale / total);
      for (int j = 0; j < Vp; j += VL) v_store(e + j, v_mul(v_load(e + j), factor));
      e[targets[i]] -= scale;
    }
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
