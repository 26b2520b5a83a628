/* The forward pass cut at every named activation (model/activations.ts): one call computes one activation of all N rows,
 * so that the caller can read or overwrite it before the next. The arithmetic of each row is that of forward.c. */
#include "drivers.h"
#include "vmath.h"

/* Packs the weights into `work`; the stages below read them there. */
EXPORT(stage_prepare)
void stage_prepare(const description *d, const real_t *parameters, void *work) {
  weights w;
  arena a = {work, 0};
  prepare_weights(&w, d, parameters, &a, 0, WHOLE);
}

/* Bytes of the packed weights. */
EXPORT(stage_weight_bytes)
double stage_weight_bytes(const description *d) {
  weights w;
  arena a = {NULL, 0};
  prepare_weights(&w, d, NULL, &a, 0, NULL);
  return (double)a.used;
}

static void find_weights(weights *w, const description *d, const real_t *parameters, void *work) {
  arena a = {work, 0};
  prepare_weights(w, d, parameters, &a, 0, NULL);
}

/* out [n, C] = rows `ids` of wte (positions 0) or wpe (positions 1) */
EXPORT(stage_embed)
void stage_embed(const description *d, const real_t *parameters, real_t *out, const int32_t *ids, int n, int positions) {
  gather_embedding(out, parameters + (positions ? d->wpe : d->wte), ids, n, d->C);
}

/* out = a + b over n rows of the residual stream */
EXPORT(stage_add)
void stage_add(const description *d, real_t *out, const real_t *a, const real_t *b, int n) {
  add_rows(out, a, b, n, d->C);
}

/* which: 0 ln1, 1 ln2, 2 the final LayerNorm */
EXPORT(stage_layernorm)
void stage_layernorm(const description *d, const real_t *parameters, void *work, int layer, int which, real_t *out,
                     const real_t *x, int n) {
  weights w;
  find_weights(&w, d, parameters, work);
  const block_weights *b = weights_of(&w, layer);
  const real_t *scale = which == 0 ? b->ln1_w : which == 1 ? b->ln2_w : w.lnf_w;
  const real_t *shift = which == 0 ? b->ln1_b : which == 1 ? b->ln2_b : w.lnf_b;
  layernorm_forward(out, NULL, NULL, x, scale, shift, n, d->C);
}

/* which: 0 q, 1 k, 2 v, 3 attn_out, 4 mlp.pre, 5 mlp_out */
EXPORT(stage_linear)
void stage_linear(const description *d, const real_t *parameters, void *work, int layer, int which, real_t *out,
                  const real_t *x, int n) {
  weights w;
  find_weights(&w, d, parameters, work);
  const block_weights *b = weights_of(&w, layer);
  const int C = d->C, M = d->M;
  const ptrdiff_t v_at = (ptrdiff_t)C * padded(C);
  switch (which) {
    case 0: linear(out, x, b->q, b->q_bias, n, C, C, 0); break;
    case 1: linear(out, x, b->kv, b->kv_bias, n, C, C, 0); break;
    case 2: linear(out, x, b->kv + v_at, b->kv_bias + padded(C), n, C, C, 0); break;
    case 3: linear(out, x, b->proj, b->proj_bias, n, C, C, 0); break;
    case 4: linear(out, x, b->fc, b->fc_bias, n, C, M, 0); break;
    default: linear(out, x, b->out, b->out_bias, n, M, C, 0);
  }
}

/* mlp.post from mlp.pre */
EXPORT(stage_activation)
void stage_activation(const description *d, real_t *out, const real_t *pre, int n) {
  activation_forward(out, NULL, pre, n, d->M, d->relu);
}

/* Numbers of scratch for the attention stages with sequences of at most `longest`. */
EXPORT(stage_scratch)
double stage_scratch(const description *d, int longest) {
  return (double)(longest + d->C / d->NH) * (padded(longest) + LANES);
}

/* scores: for each sequence [NH, T, T]; -infinity above the diagonal. iota [longest + 1] = 0, 1, 2, ... */
EXPORT(stage_scores)
void stage_scores(const description *d, real_t *scores, const real_t *q, const real_t *k, const int32_t *offsets, int S,
                  const int32_t *iota, real_t *scratch) {
  const int HS = d->C / d->NH;
  const ptrdiff_t row = row_stride(d->C);
  const real_t scale = (real_t)1 / real_sqrt((real_t)HS);
  for (int s = 0; s < S; s++) {
    const int T = offsets[s + 1] - offsets[s], Tp = padded(T);
    const ptrdiff_t at = offsets[s] * row;
    real_t *rows = scratch, *rest = scratch + (ptrdiff_t)T * Tp;
    for (int h = 0; h < d->NH; h++) {
      attention_scores(rows, q + at + h * HS, row, iota, T, k + at + h * HS, row, T, HS, rest);
      for (int i = 0; i < T; i++, scores += T)
        for (int j = 0; j < T; j++) scores[j] = j <= i ? rows[(ptrdiff_t)i * Tp + j] * scale : NEGATIVE_INFINITY;
    }
  }
}

/* pattern = softmax of each row of scores over keys up to the query; 0 above the diagonal */
EXPORT(stage_pattern)
void stage_pattern(const description *d, real_t *pattern, const real_t *scores, const int32_t *offsets, int S,
                   real_t *scratch) {
  for (int s = 0; s < S; s++) {
    const int T = offsets[s + 1] - offsets[s], Tp = padded(T);
    for (int i = 0; i < d->NH * T; i++, scores += T, pattern += T) {
      copy_reals(scratch, scores, T);
      softmax_row(scratch, i % T + 1, Tp, 1);
      copy_reals(pattern, scratch, T);
    }
  }
}

/* z [N, C] from pattern and v [N, C] */
EXPORT(stage_values)
void stage_values(const description *d, real_t *z, const real_t *pattern, const real_t *v, const int32_t *offsets, int S,
                  const int32_t *iota, real_t *scratch) {
  const int HS = d->C / d->NH;
  const ptrdiff_t row = row_stride(d->C);
  for (int s = 0; s < S; s++) {
    const int T = offsets[s + 1] - offsets[s], Tp = padded(T);
    const ptrdiff_t at = offsets[s] * row;
    for (int h = 0; h < d->NH; h++) {
      for (int i = 0; i < T; i++, pattern += T) {
        copy_reals(scratch + (ptrdiff_t)i * Tp, pattern, T);
        zero_reals(scratch + (ptrdiff_t)i * Tp + T, Tp - T);
      }
      attention_values(z + at + h * HS, row, scratch, iota + 1, T, v + at + h * HS, row, T, HS);
    }
  }
}

/* logits [n, V] of the rows `rows` of ln_final.normalized, and their losses; temp [n, padded C], scratch [padded V]
 * @returns the sum of the losses, nats */
EXPORT(stage_logits)
double stage_logits(const description *d, const real_t *parameters, void *work, real_t *logits, real_t *losses,
                    const real_t *hf, const int32_t *rows, const int32_t *targets, int n, real_t *temp,
                    real_t *scratch) {
  weights w;
  find_weights(&w, d, parameters, work);
  gather_rows(temp, hf, rows, n, d->C);
  unembed(&w, logits, d->V, temp, n);
  cross_entropy(losses, NULL, logits, d->V, targets, n, d->V, 0, scratch);
  return sum_in_order(losses, n);
}
