/* AdamW with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101), as torch.optim.AdamW writes it, with the
 * global-norm clip of torch.nn.utils.clip_grad_norm_. Everything is checked to be finite before anything is changed. */
#include "kernels.h"

/* base^n by squaring: pow() of a host's libm differs in the last bits */
static double power(double base, double n) {
  double result = 1;
  for (int64_t e = (int64_t)n; e > 0; e >>= 1) {
    if (e & 1) result *= base;
    base *= base;
  }
  return result;
}

/* sum of squares in float64 over 16 virtual lanes */
static double sum_of_squares(const real_t *x, ptrdiff_t n) {
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

/* The check before an update: gradient norm, and the first section that holds a number that is not finite.
 * state = parameters | gradients | m | v, sections of `size` (a multiple of 16) numbers, `stride` apart.
 * @returns 0, or 1 + the index of the section */
int check_state(const real_t *state, ptrdiff_t size, ptrdiff_t stride, double *gradient_norm) {
  *gradient_norm = __builtin_sqrt(sum_of_squares(state + stride, size));
  for (int section = 0; section < 4; section++)
    if (!all_finite(state + section * stride, size)) return 1 + section;
  return 0;
}

/* One update of n numbers (a multiple of 16). t: updates done before this one, plus one.
 *   g = gradient * clip_factor;  m = m + (g - m)(1 - beta1);  v = beta2 v + (1 - beta2) g^2
 *   p = p (1 - lr wd) - lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps) */
void adamw(real_t *RESTRICT p, const real_t *RESTRICT gradient, real_t *RESTRICT m, real_t *RESTRICT v, ptrdiff_t n,
           const adamw_options *o, int decays, double clip_factor, double t) {
  const real_t keep = (real_t)(decays ? 1 - o->learning_rate * o->weight_decay : 1);
  const real_t factor = (real_t)clip_factor;
  const real_t one_beta1 = (real_t)(1 - o->beta1);
  const real_t beta2 = (real_t)o->beta2, one_beta2 = (real_t)(1 - o->beta2);
  const real_t rate = (real_t)(o->learning_rate / (1 - power(o->beta1, t)));
  const real_t root = (real_t)__builtin_sqrt(1 - power(o->beta2, t));
  const real_t eps = (real_t)o->eps;
  for (ptrdiff_t i = 0; i < n; i++) {
    const real_t g = gradient[i] * factor;
    m[i] = m[i] + (g - m[i]) * one_beta1;
    v[i] = v[i] * beta2 + g * g * one_beta2;
    const real_t denominator = (real_t)(
#ifdef REAL_IS_FLOAT
        __builtin_sqrtf(v[i])
#else
        __builtin_sqrt(v[i])
#endif
        / root + eps);
    p[i] = p[i] * keep - rate * (m[i] / denominator);
  }
}
