/* The fits of linear-probe.ts in WebAssembly, two float64 at a time: every number is made by the same operations in the same
 * order as there, so that both give the same bits. No fused multiply-add, no libm, no allocation.
 *
 * Letters: R rows, C columns, S = C + 1 unknowns (the intercept last). Matrices of S unknowns are kept as the upper triangle
 * U = L^T, row-major [S, S], so that what the TypeScript sums along k for one i is done for all i at once. */
#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define INLINE static inline __attribute__((always_inline))

typedef v128_t v2;
INLINE v2 load(const double *p) { return wasm_v128_load(p); }
INLINE void store(double *p, v2 x) { wasm_v128_store(p, x); }
INLINE v2 both(double x) { return wasm_f64x2_splat(x); }
INLINE v2 add(v2 a, v2 b) { return wasm_f64x2_add(a, b); }
INLINE v2 sub(v2 a, v2 b) { return wasm_f64x2_sub(a, b); }
INLINE v2 mul(v2 a, v2 b) { return wasm_f64x2_mul(a, b); }
INLINE v2 quotient(v2 a, v2 b) { return wasm_f64x2_div(a, b); }
#define LANE(x, i) wasm_f64x2_extract_lane(x, i)

/* as in linear-probe.ts and lbfgs.ts */
#define MOST_ITERATIONS 50
#define MOST_QUASI_NEWTON 80
#define TOLERANCE 1e-8
#define MEMORY 8

extern double __heap_base;

/* One task. What the caller writes comes first in memory, in this order. */
static struct {
  int rows, cols, size;
  double penalty, total;
  double *x, *columns, *multiplicity, *y, *factor, *beta;
  double *first, *hessian, *gradient, *step, *trial, *before;
  double *mu, *residual, *decisions, *scratch;
  double *steps, *changes;
  double curvature[MEMORY];
  int kept, next;
} t;

static double *place(double **at, int length) {
  double *here = *at;
  *at += length + (length & 1);
  return here;
}

/* Lays out the memory of one task. Returns the address of its end; the caller grows the memory to it before it writes. */
EXPORT(lay_out) double *lay_out(int rows, int cols, double penalty, double total) {
  const int size = cols + 1;
  double *at = &__heap_base;
  t.rows = rows;
  t.cols = cols;
  t.size = size;
  t.penalty = penalty;
  t.total = total;
  t.x = place(&at, rows * cols);
  t.columns = place(&at, rows * cols);
  t.multiplicity = place(&at, rows);
  t.y = place(&at, rows);
  t.factor = place(&at, size * size);
  t.beta = place(&at, size);
  t.first = place(&at, size * size);
  t.hessian = place(&at, size * size);
  t.gradient = place(&at, size);
  t.step = place(&at, size);
  t.trial = place(&at, size);
  t.before = place(&at, size);
  t.mu = place(&at, rows);
  t.residual = place(&at, rows);
  t.decisions = place(&at, rows);
  t.scratch = place(&at, rows);
  t.steps = place(&at, MEMORY * size);
  t.changes = place(&at, MEMORY * size);
  return at;
}

EXPORT(inputs) double *inputs(void) { return &__heap_base; }

/* a . b in four sums that do not wait for each other */
static double dot4(const double *a, const double *b, int length) {
  const int whole = length & ~3;
  v2 low = both(0), high = both(0);
  for (int i = 0; i < whole; i += 4) {
    low = add(low, mul(load(a + i), load(b + i)));
    high = add(high, mul(load(a + i + 2), load(b + i + 2)));
  }
  double s = LANE(low, 0);
  for (int i = whole; i < length; i++) s += a[i] * b[i];
  return s + LANE(low, 1) + (LANE(high, 0) + LANE(high, 1));
}

/* out[i * stride] = a . row i of b [rows, length], the sums of dot4 */
INLINE void dots_into(double *out, int stride, const double *a, const double *b, int rows, int length) {
  const int whole = length & ~3;
  int row = 0;
  for (; row + 3 < rows; row += 4) {
    const double *b0 = b + row * length, *b1 = b0 + length, *b2 = b1 + length, *b3 = b2 + length;
    v2 l0 = both(0), l1 = l0, l2 = l0, l3 = l0, h0 = l0, h1 = l0, h2 = l0, h3 = l0;
    for (int i = 0; i < whole; i += 4) {
      const v2 low = load(a + i), high = load(a + i + 2);
      l0 = add(l0, mul(low, load(b0 + i)));
      h0 = add(h0, mul(high, load(b0 + i + 2)));
      l1 = add(l1, mul(low, load(b1 + i)));
      h1 = add(h1, mul(high, load(b1 + i + 2)));
      l2 = add(l2, mul(low, load(b2 + i)));
      h2 = add(h2, mul(high, load(b2 + i + 2)));
      l3 = add(l3, mul(low, load(b3 + i)));
      h3 = add(h3, mul(high, load(b3 + i + 2)));
    }
    double s0 = LANE(l0, 0), s1 = LANE(l1, 0), s2 = LANE(l2, 0), s3 = LANE(l3, 0);
    for (int i = whole; i < length; i++) {
      s0 += a[i] * b0[i];
      s1 += a[i] * b1[i];
      s2 += a[i] * b2[i];
      s3 += a[i] * b3[i];
    }
    out[row * stride] = s0 + LANE(l0, 1) + (LANE(h0, 0) + LANE(h0, 1));
    out[(row + 1) * stride] = s1 + LANE(l1, 1) + (LANE(h1, 0) + LANE(h1, 1));
    out[(row + 2) * stride] = s2 + LANE(l2, 1) + (LANE(h2, 0) + LANE(h2, 1));
    out[(row + 3) * stride] = s3 + LANE(l3, 1) + (LANE(h3, 0) + LANE(h3, 1));
  }
  for (; row < rows; row++) out[row * stride] = dot4(a, b + row * length, length);
}

/* y[i] -= c x[i] */
INLINE void subtract(double *y, double c, const double *x, int n) {
  const v2 c2 = both(c);
  int i = 0;
  for (; i + 1 < n; i += 2) store(y + i, sub(load(y + i), mul(c2, load(x + i))));
  if (i < n) y[i] -= c * x[i];
}

/* y[i] += c x[i] */
INLINE void increase(double *y, double c, const double *x, int n) {
  const v2 c2 = both(c);
  int i = 0;
  for (; i + 1 < n; i += 2) store(y + i, add(load(y + i), mul(c2, load(x + i))));
  if (i < n) y[i] += c * x[i];
}

/* in order, one sum */
INLINE double dot(const double *a, const double *b, int n) {
  double s = 0;
  for (int i = 0; i < n; i++) s += a[i] * b[i];
  return s;
}

/* exp-negative.ts: exp(x) of x <= 0, 0 from -708 on */
INLINE v2 exp_of_negative(v2 x) {
  const double c2 = 1.0 / 2, c3 = 1.0 / 6, c4 = 1.0 / 24, c5 = 1.0 / 120, c6 = 1.0 / 720, c7 = 1.0 / 5040,
               c8 = 1.0 / 40320, c9 = 1.0 / 362880, c10 = 1.0 / 3628800, c11 = 1.0 / 39916800, c12 = 1.0 / 479001600,
               c13 = 1.0 / 6227020800;
  const v2 one = both(1);
  const v2 k = wasm_f64x2_floor(sub(both(0.5), mul(x, both(1.4426950408889634))));
  const v2 r = add(add(x, mul(k, both(6.93147180369123816e-1))), mul(k, both(1.9082149292705877e-10)));
  const v2 r2 = mul(r, r);
  const v2 r4 = mul(r2, r2);
  const v2 low = add(add(one, r), mul(r2, add(both(c2), mul(both(c3), r))));
  const v2 middle = add(add(both(c4), mul(both(c5), r)), mul(r2, add(both(c6), mul(both(c7), r))));
  const v2 high = add(add(add(both(c8), mul(both(c9), r)), mul(r2, add(both(c10), mul(both(c11), r)))),
                      mul(r4, add(both(c12), mul(both(c13), r))));
  /* 2^-k: 1023 - k in the last bits of a sum with 2^52, moved to the exponent */
  const v2 power = wasm_i64x2_shl(add(sub(both(1023), k), both(4503599627370496.0)), 52);
  const v2 e = mul(add(low, mul(r4, add(middle, mul(r4, high)))), power);
  return wasm_v128_bitselect(both(0), e, wasm_f64x2_le(x, both(-708)));
}

/* Gradient and probabilities at `at`. Returns the Euclidean norm of the gradient. */
static double evaluate(const double *at) {
  const int rows = t.rows, cols = t.cols;
  dots_into(t.decisions, 1, at, t.x, rows, cols);
  const v2 intercept = both(at[cols]), one = both(1);
  double last = 0;
  /* of an odd number of rows the last lane is not used */
  for (int i = 0; i < rows; i += 2) {
    const v2 f = add(intercept, load(t.decisions + i));
    const v2 e = exp_of_negative(wasm_f64x2_neg(wasm_f64x2_abs(f)));
    const v2 mu = quotient(wasm_v128_bitselect(one, e, wasm_f64x2_ge(f, both(0))), add(one, e));
    const v2 residual = sub(mul(load(t.multiplicity + i), mu), load(t.y + i));
    store(t.mu + i, mu);
    store(t.residual + i, residual);
    last += LANE(residual, 0);
    if (i + 1 < rows) last += LANE(residual, 1);
  }
  double *gradient = t.gradient;
  gradient[cols] = last;
  double total = last * last;
  dots_into(gradient, 1, t.residual, t.columns, cols, rows);
  for (int j = 0; j < cols; j++) {
    gradient[j] += t.penalty * at[j];
    total += gradient[j] * gradient[j];
  }
  return __builtin_sqrt(total);
}

/* X^T W X + penalty I, bordered by the intercept; w [R] in t.decisions */
static void fill_hessian(void) {
  const int rows = t.rows, cols = t.cols, size = t.size;
  double *h = t.hessian;
  const double *w = t.decisions;
  double total = 0;
  double *border = t.trial; /* [C], free between two steps */
  for (int j = 0; j < cols; j++) border[j] = 0;
  for (int i = 0; i < rows; i++) {
    total += w[i];
    increase(border, w[i], t.x + i * cols, cols);
  }
  h[cols * size + cols] = total + 1e-12;
  for (int j = 0; j < cols; j++) {
    const double *column = t.columns + j * rows;
    h[j * size + cols] = border[j];
    int i = 0;
    for (; i + 1 < rows; i += 2) store(t.scratch + i, mul(load(w + i), load(column + i)));
    if (i < rows) t.scratch[i] = w[i] * column[i];
    dots_into(h + j, size, t.scratch, t.columns, j + 1, rows);
    h[j * size + j] += t.penalty;
  }
}

/* Overwrites the upper triangle with U, a = U^T U. 0: a pivot is not positive. */
static int cholesky(double *u, int size) {
  for (int j = 0; j < size; j++) {
    double *row = u + j * size;
    if (!(row[j] > 0)) return 0;
    const double root = __builtin_sqrt(row[j]);
    row[j] = root;
    int i = j + 1;
    for (; i + 1 < size; i += 2) store(row + i, quotient(load(row + i), both(root)));
    if (i < size) row[i] /= root;
    for (int k = j + 1; k < size; k++) subtract(u + k * size + k, row[k], row + k, size - k);
  }
  return 1;
}

/* U^T U x = b in place */
static void solve(const double *u, int size, double *b) {
  for (int k = 0; k < size; k++) {
    b[k] /= u[k * size + k];
    subtract(b + k + 1, b[k], u + k * size + k + 1, size - k - 1);
  }
  for (int i = size - 1; i >= 0; i--) {
    double total = b[i];
    for (int k = i + 1; k < size; k++) total -= u[i * size + k] * b[k];
    b[i] = total / u[i * size + i];
  }
}

static void copy(double *to, const double *from, int n) {
  for (int i = 0; i < n; i++) to[i] = from[i];
}

/* trial = beta - scale step */
static void try_step(double scale) {
  for (int j = 0; j < t.size; j++) t.trial[j] = t.beta[j] - scale * t.step[j];
}

static int newton(double start) {
  const int rows = t.rows, cols = t.cols, size = t.size;
  for (int j = 0; j < cols; j++) t.beta[j] = 0;
  t.beta[cols] = start;
  double norm = evaluate(t.beta);
  const double enough = TOLERANCE * t.total;
  int iterations = 0;
  while (norm > enough && iterations < MOST_ITERATIONS) {
    iterations++;
    const double *factor = t.first;
    if (iterations > 1) {
      for (int i = 0; i < rows; i++) t.decisions[i] = t.multiplicity[i] * t.mu[i] * (1 - t.mu[i]);
      fill_hessian();
      if (!cholesky(t.hessian, size)) break;
      factor = t.hessian;
    }
    copy(t.step, t.gradient, size);
    solve(factor, size, t.step);
    double next = __builtin_inf();
    for (double scale = 1; scale > 1e-8; scale /= 2) {
      try_step(scale);
      next = evaluate(t.trial);
      if (next < norm) break;
    }
    if (!(next < norm)) break;
    copy(t.beta, t.trial, size);
    norm = next;
  }
  return 2 * iterations + (norm <= enough);
}

/* lbfgs.ts */
static void apply(double *vector) {
  const int size = t.size;
  double weight[MEMORY];
  for (int i = 1; i <= t.kept; i++) {
    const int at = (t.next - i + MEMORY) % MEMORY;
    weight[at] = t.curvature[at] * dot(t.steps + at * size, vector, size);
    subtract(vector, weight[at], t.changes + at * size, size);
  }
  solve(t.first, size, vector);
  for (int i = t.kept; i >= 1; i--) {
    const int at = (t.next - i + MEMORY) % MEMORY;
    const double left = weight[at] - t.curvature[at] * dot(t.changes + at * size, vector, size);
    increase(vector, left, t.steps + at * size, size);
  }
}

static void remember(double scale) {
  const int size = t.size;
  double *step = t.steps + t.next * size, *change = t.changes + t.next * size;
  double product = 0;
  for (int j = 0; j < size; j++) {
    step[j] = scale * t.step[j];
    change[j] = t.gradient[j] - t.before[j];
    product += step[j] * change[j];
  }
  if (!(product > 0)) return;
  t.curvature[t.next] = 1 / product;
  t.next = (t.next + 1) % MEMORY;
  if (t.kept < MEMORY) t.kept++;
}

static int quasi_newton(double start) {
  const int cols = t.cols, size = t.size;
  t.kept = t.next = 0;
  for (int j = 0; j < cols; j++) t.beta[j] = 0;
  t.beta[cols] = start;
  double norm = evaluate(t.beta);
  const double enough = TOLERANCE * t.total;
  int iterations = 0;
  while (norm > enough && iterations < MOST_QUASI_NEWTON) {
    iterations++;
    copy(t.before, t.gradient, size);
    copy(t.step, t.gradient, size);
    apply(t.step);
    const double slope = dot(t.step, t.before, size);
    double scale = 1;
    for (; scale > 1e-8; scale /= 2) {
      try_step(scale);
      norm = evaluate(t.trial);
      if (dot(t.step, t.gradient, size) >= -0.8 * slope) break;
    }
    if (!(slope > 0) || scale <= 1e-8) break;
    remember(-scale);
    copy(t.beta, t.trial, size);
  }
  return 2 * iterations + (norm <= enough);
}

/* Fits beta to x, columns, multiplicity, y and the lower factor of the first Hessian. Returns 2 iterations + converged. */
EXPORT(fit) int fit(double start, int quasi) {
  const int size = t.size;
  for (int i = 0; i < size; i++)
    for (int k = 0; k <= i; k++) t.first[k * size + i] = t.factor[i * size + k];
  const int how = quasi ? quasi_newton(start) : 0;
  return how & 1 ? how : newton(start);
}
