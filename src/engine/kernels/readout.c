/* From rows of the residual stream to logits in double precision: the final LayerNorm and the unembedding, for the logit lens.
 * Every sum goes in the order of its index, one number at a time, so that vectors and builds change no bit. */
#include "drivers.h"

#define EPSILON 1e-5 /* LAYER_NORM_EPS of gpt-config.ts */
#define ROWS 8   /* go through the LayerNorm together */
#define TOKENS 8 /* of one vector */

typedef double doubles __attribute__((vector_size(64), aligned(64)));

/* tokens rounded up to four vectors */
static int padded_tokens(const description *d) { return (d->V + 4 * TOKENS - 1) / (4 * TOKENS) * (4 * TOKENS); }

/* Numbers of scratch for readout_rows. */
EXPORT(readout_scratch)
double readout_scratch(const description *d) { return (double)padded_tokens(d) * (d->C + 1) + (double)d->C * ROWS + 8; }

/* LayerNorm's weight and bias taken into the unembedding: directions [C, padded V], constants [padded V] */
static void fold(const description *d, const real_t *parameters, double *directions, double *constants) {
  const int Vp = padded_tokens(d);
  const real_t *weight = parameters + d->lnf_w, *head = parameters + d->head;
  const real_t *bias = d->lnf_b < 0 ? NULL : parameters + d->lnf_b;
  const real_t *head_bias = d->head_b < 0 ? NULL : parameters + d->head_b;
  for (int t = 0; t < Vp; t++) {
    double total = t < d->V && head_bias ? (double)head_bias[t] : 0;
    for (int c = 0; c < d->C; c++) {
      const double u = t < d->V ? (double)head[(ptrdiff_t)t * d->C + c] : 0;
      directions[(ptrdiff_t)c * Vp + t] = u * (double)weight[c];
      total += (bias ? (double)bias[c] : 0) * u;
    }
    constants[t] = total;
  }
}

/* normalized [C, ROWS] of rows of x; those past the last are the last again */
static void normalize(doubles *normalized, const real_t *x, int n, int C) {
  doubles mean = {0}, squares = {0}, divisor = {0};
  for (int c = 0; c < C; c++) {
    for (int r = 0; r < ROWS; r++) normalized[c][r] = (double)x[(ptrdiff_t)(r < n ? r : n - 1) * C + c];
    mean += normalized[c];
  }
  mean /= (double)C;
  for (int c = 0; c < C; c++) {
    normalized[c] -= mean;
    squares += normalized[c] * normalized[c];
  }
  squares = squares / (double)C + EPSILON;
  for (int r = 0; r < ROWS; r++) divisor[r] = __builtin_sqrt(squares[r]);
  for (int c = 0; c < C; c++) normalized[c] /= divisor;
}

/* out [n, V] from x [n, C], both without padding; scratch on a cache line */
EXPORT(readout_rows)
void readout_rows(const description *d, const real_t *parameters, double *scratch, double *out, const real_t *x, int n) {
  const int C = d->C, V = d->V, Vp = padded_tokens(d);
  double *directions = scratch, *constants = scratch + (ptrdiff_t)C * Vp;
  doubles *normalized = (doubles *)(constants + Vp);
  fold(d, parameters, directions, constants);
  for (int row = 0; row < n; row += ROWS, x += (ptrdiff_t)ROWS * C) {
    const int rows = n - row < ROWS ? n - row : ROWS;
    normalize(normalized, x, rows, C);
    for (int r = 0; r < rows; r++, out += V)
      for (int t = 0; t < V; t += 4 * TOKENS) {
        const doubles *start = (const doubles *)(constants + t);
        doubles sum[4] = {start[0], start[1], start[2], start[3]};
        for (int c = 0; c < C; c++) {
          const double factor = normalized[c][r];
          const doubles *to = (const doubles *)(directions + (ptrdiff_t)c * Vp + t);
          for (int v = 0; v < 4; v++) sum[v] += factor * to[v];
        }
        const double *found = (const double *)sum;
        for (int j = 0; j < 4 * TOKENS && t + j < V; j++) out[t + j] = found[j];
      }
  }
}
