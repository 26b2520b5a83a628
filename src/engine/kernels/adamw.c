/* AdamW with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101), as torch.optim.AdamW writes it, with the
 * global-norm clip of torch.nn.utils.clip_grad_norm_. Everything is checked to be finite before anything is changed. */
#include "kernels.h"
#include "vec.h"

/* base^n by squaring: pow() of a host's libm differs in the last bits */
static double power(double base, double n) {
  double result = 1;
  for (int64_t e = (int64_t)n; e > 0; e >>= 1) {
    if (e & 1) result *= base;
    base *= base;
  }
  return result;
}

/* sum of squares in float64 over 16 virtual lanes; n is a multiple of 16 */
double sum_of_squares(const real_t *x, ptrdiff_t n) {
  double lane[16] = {0};
  for (ptrdiff_t i = 0; i + 16 <= n; i += 16)
    for (int r = 0; r < 16; r++) lane[r] += (double)x[i + r] * (double)x[i + r];
  for (int width = 8; width >= 1; width /= 2)
    for (int r = 0; r < width; r++) lane[r] += lane[r + width];
  return lane[0];
}

/* whether every number is finite; n is a multiple of 16 */
static int all_finite(const real_t *x, ptrdiff_t n) {
  real_t lane[16] = {0};
  for (ptrdiff_t i = 0; i < n; i += 16)
    for (int r = 0; r < 16; r++) lane[r] += x[i + r] * 0;
  real_t sum = 0;
  for (int r = 0; r < 16; r++) sum += lane[r];
  return sum == 0;
}

/* The check before an update: the first section that holds a number that is not finite.
 * state = parameters | gradients | m | v, sections of `size` (a multiple of 16) numbers, `stride` apart.
 * gradients_only: the others are known to be finite
 * @returns 0, or 1 + the index of the section */
int check_state(const real_t *state, ptrdiff_t size, ptrdiff_t stride, int gradients_only, double gradient_norm) {
  /* squares of float32 do not overflow in float64, so that the norm tells */
  if (gradients_only && sizeof(real_t) < sizeof(double)) return gradient_norm - gradient_norm == 0 ? 0 : 2;
  for (int section = 0; section < 4; section++)
    if (!all_finite(state + section * stride, size)) return 1 + section;
  return 0;
}

/* One update of n numbers (a multiple of 16). t: updates done before this one, plus one.
 *   g = gradient * clip_factor;  m = m + (g - m)(1 - beta1);  v = beta2 v + (1 - beta2) g^2
 *   p = p (1 - lr wd) - lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
 * @returns whether all p, m and v are finite now */
int adamw(real_t *RESTRICT p, const real_t *RESTRICT gradient, real_t *RESTRICT m, real_t *RESTRICT v, ptrdiff_t n,
          const adamw_options *o, int decays, double clip_factor, double t) {
  const vf keep = v_set((real_t)(decays ? 1 - o->learning_rate * o->weight_decay : 1));
  const vf factor = v_set((real_t)clip_factor);
  const vf one_beta1 = v_set((real_t)(1 - o->beta1));
  const vf beta2 = v_set((real_t)o->beta2), one_beta2 = v_set((real_t)(1 - o->beta2));
  const vf rate = v_set((real_t)(o->learning_rate / (1 - power(o->beta1, t))));
  const vf root = v_set((real_t)__builtin_sqrt(1 - power(o->beta2, t)));
  const vf eps = v_set((real_t)o->eps), zero = v_set(0);
  vf finite = zero;
  for (ptrdiff_t i = 0; i < n; i += VL) {
    const vf g = v_mul(v_load(gradient + i), factor);
    const vf old_m = v_load(m + i);
    const vf new_m = v_add(old_m, v_mul(v_sub(g, old_m), one_beta1));
    const vf new_v = v_add(v_mul(v_load(v + i), beta2), v_mul(v_mul(g, g), one_beta2));
    const vf denominator = v_add(v_div(v_sqrt(new_v), root), eps);
    const vf new_p = v_sub(v_mul(v_load(p + i), keep), v_mul(rate, v_div(new_m, denominator)));
    v_store(m + i, new_m);
    v_store(v + i, new_v);
    v_store(p + i, new_p);
    /* x * 0 is NaN where x is not finite */
    finite = v_add(finite, v_mul(v_add(v_add(v_mul(new_p, zero), v_mul(new_m, zero)), new_v), zero));
  }
  real_t lanes[VL], sum = 0;
  v_store(lanes, finite);
  for (int r = 0; r < VL; r++) sum += lanes[r];
  return sum == 0;
}
