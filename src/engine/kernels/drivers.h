/* What TypeScript may call: the drivers, in the order of module.ts. Everything else is internal. */
#ifndef SUMLENS_DRIVERS_H
#define SUMLENS_DRIVERS_H
#include "model.h"

/* hash.c: SHA-256 of the sources, 64 hexadecimal digits */
const char *kernel_hash(void);

/* layout.c */
int padded_width(int n);
int row_numbers(int n);

/* train.c: what a training step found */
typedef struct {
  double loss_sum, gradient_norm;
  double bad_section; /* 0: all finite, 1 parameters, 2 gradients, 3 first moments, 4 second moments */
  /* in: 1 when parameters and moments are what an update left with 1 here; out, after an update: they are finite */
  double state_is_finite;
} step_result;
double train_work_bytes(const description *d, int N, int S, int longest, int threads);
double train_gradients(pool *threads, const description *d, real_t *state, void *work, const int32_t *tokens,
                       const int32_t *targets, const int32_t *offsets, int N, int S, int longest, real_t *losses);
int train_step(pool *threads, const description *d, real_t *state, void *work, const int32_t *tokens,
               const int32_t *targets, const int32_t *offsets, int N, int S, int longest, real_t *losses,
               const adamw_options *o, double t_step, step_result *result);

/* inference.c */
double forward_work_bytes(const description *d, int N, int S, int longest, int threads);
double forward_batch(pool *threads, const description *d, const real_t *parameters, void *work, const int32_t *tokens,
                     const int32_t *targets, const int32_t *offsets, int N, int S, int longest, real_t *logits,
                     real_t *losses, const given_rows *given, int n_given, const double *kept);
double generate_work_bytes(const description *d, int rows, int S, int capacity);
void generate_next(const description *d, const real_t *parameters, void *work, int max_rows, int S, int capacity,
                   int first, const int32_t *tokens, const int32_t *start, const int32_t *slot, const int32_t *length,
                   int n, int32_t *next);

/* capture.c */
double capture_work_bytes(const description *d, int N, int S, int longest, int threads);
void capture_batch(pool *threads, const description *d, const real_t *parameters, void *work, const int32_t *tokens,
                   const int32_t *targets, const int32_t *offsets, int N, int S, int longest, const double *results,
                   real_t *logits, real_t *losses, int first);

/* readout.c */
double readout_scratch(const description *d);
void readout_rows(const description *d, const real_t *parameters, double *scratch, double *out, const real_t *x, int n);

/* stages.c */
void stage_prepare(const description *d, const real_t *parameters, void *work);
double stage_weight_bytes(const description *d);
void stage_embed(const description *d, const real_t *parameters, real_t *out, const int32_t *ids, int n, int positions);
void stage_add(const description *d, real_t *out, const real_t *a, const real_t *b, int n);
void stage_layernorm(const description *d, const real_t *parameters, void *work, int layer, int which, real_t *out,
                     const real_t *x, int n);
void stage_linear(const description *d, const real_t *parameters, void *work, int layer, int which, real_t *out,
                  const real_t *x, int n);
void stage_activation(const description *d, real_t *out, const real_t *pre, int n);
double stage_scratch(const description *d, int longest);
void stage_scores(const description *d, real_t *scores, const real_t *q, const real_t *k, const int32_t *offsets, int S,
                  const int32_t *iota, real_t *scratch);
void stage_pattern(const description *d, real_t *pattern, const real_t *scores, const int32_t *offsets, int S,
                   real_t *scratch);
void stage_values(const description *d, real_t *z, const real_t *pattern, const real_t *v, const int32_t *offsets, int S,
                  const int32_t *iota, real_t *scratch);
double stage_logits(const description *d, const real_t *parameters, void *work, real_t *logits, real_t *losses,
                    const real_t *hf, const int32_t *rows, const int32_t *targets, int n, real_t *temp,
                    real_t *scratch);
#endif
