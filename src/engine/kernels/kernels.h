/* Prototypes of all kernels. Shape letters are in real.h; "rows" are padded to a multiple of LANES numbers, padding zero or
 * never read. Nothing here allocates: callers pass work memory. */
#ifndef SUMLENS_KERNELS_H
#define SUMLENS_KERNELS_H
#include "real.h"

/* layernorm.c */
void layernorm_forward(real_t *y, real_t *xhat, real_t *rstd, const real_t *x, const real_t *w, const real_t *b, int n,
                       int C);
void layernorm_backward(real_t *dx, const real_t *residual, const real_t *dy, const real_t *xhat, const real_t *rstd,
                        const real_t *w, int n, int C);
void layernorm_parameters(real_t *dw, real_t *db, const real_t *dy, const real_t *xhat, int n, int C);

/* pointwise.c */
void activation_forward(real_t *post, real_t *slope, const real_t *pre, int n, int M, int relu);
void add_rows(real_t *out, const real_t *a, const real_t *b, int n, int C);
void add_to(real_t *RESTRICT sums, const real_t *RESTRICT x, ptrdiff_t n);
void gather_embedding(real_t *RESTRICT out, const real_t *RESTRICT table, const int32_t *ids, int n, int C);
void scatter_embedding(real_t *RESTRICT table, const real_t *RESTRICT d, const int32_t *ids, int n, int C);
void gather_rows(real_t *RESTRICT out, const real_t *RESTRICT x, const int32_t *rows, int n, int C);
void scatter_add_rows(real_t *RESTRICT x, const real_t *RESTRICT d, const int32_t *rows, int n, int C);
void column_sums(real_t *sums, const real_t *x, ptrdiff_t row, int n, int n_columns);

/* attention.c */
typedef struct {
  const real_t *dz, *q, *k, *v;
  real_t *dq, *dk, *dv;
  /* row strides; q, dq and dz are rows of queries, k, v, dk and dv rows of positions */
  ptrdiff_t dz_row, q_row, kv_row, dq_row, dkv_row;
} attention_gradients;
void attention_scores(real_t *scores, const real_t *q, ptrdiff_t q_row, const int32_t *position, int nq, const real_t *k,
                      ptrdiff_t k_row, int T, int HS, real_t *scratch);
void softmax_row(real_t *p, int count, int width, real_t scale);
void softmax_rows(real_t *p, const int32_t *last, int nq, int width, real_t scale);
void attention_values(real_t *z, ptrdiff_t z_row, const real_t *p, const int32_t *last, int nq, const real_t *v,
                      ptrdiff_t v_row, int T, int HS);
void attention_backward(const attention_gradients *g, const real_t *p, const int32_t *position, const int32_t *last,
                        const int32_t *first, int nq, int T, int HS, real_t scale, real_t *scratch);

/* loss.c */
void cross_entropy(real_t *losses, real_t *dlogits, const real_t *logits, ptrdiff_t row, const int32_t *targets, int n,
                   int V, real_t scale, real_t *scratch);
double sum_in_order(const real_t *x, int n);
int argmax(const real_t *x, int n);

/* adamw.c */
typedef struct {
  double learning_rate, beta1, beta2, eps, weight_decay, clip;
} adamw_options;
double sum_of_squares(const real_t *x, ptrdiff_t n);
int check_state(const real_t *state, ptrdiff_t size, ptrdiff_t stride, int gradients_only, double gradient_norm);
int adamw(real_t *RESTRICT p, const real_t *RESTRICT gradient, real_t *RESTRICT m, real_t *RESTRICT v, ptrdiff_t n,
           const adamw_options *o, int decays, double clip_factor, double t);
#endif
