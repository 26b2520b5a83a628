/* The fused forward pass of one chunk, for training and inference. Row by row it is the same arithmetic as stages.c. */
#include "model.h"
#include "gemm.h"
#include "vmath.h"

void prepare_store(chunk_store *s, arena *a, const description *d, int rows, int longest, store_kind keep) {
  const uint64_t R = rows, C = row_stride(d->C), M = row_stride(d->M), KV = row_stride(2 * padded(d->C)), T = padded(longest);
  const uint64_t HS = d->C / d->NH;
  const int train = keep != KEEP_NOTHING;
  for (int l = 0; l < d->L; l++) {
    layer_store *y = &s->layer[l];
    if (!train && l > 0) {
      *y = s->layer[0];
      continue;
    }
    y->h1 = take_reals(a, R * C);
    y->h1_wanted = take_reals(a, R * C);
    y->q = take_reals(a, R * C);
    y->kv = take_reals(a, R * KV);
    y->p = take_reals(a, R * T * d->NH);
    y->z = take_reals(a, R * C);
    y->h2 = take_reals(a, R * C);
    y->post = take_reals(a, R * M);
    y->xhat1 = y->rstd1 = y->xhat2 = y->rstd2 = y->slope = NULL;
    if (!train) continue;
    y->xhat1 = take_reals(a, R * C);
    y->rstd1 = take_reals(a, R);
    y->xhat2 = take_reals(a, R * C);
    y->rstd2 = take_reals(a, R);
    y->slope = take_reals(a, R * M);
    if (keep == KEEP_FORWARD && l > 0) {
      /* the gradient of a block's output is written while that of its own is read: two take turns */
      y->d_out = l == 1 ? take_reals(a, R * C) : s->layer[l - 2].d_out;
      y->d_mid = s->layer[0].d_mid;
      y->dq = s->layer[0].dq;
      y->dkv = s->layer[0].dkv;
      y->dh1 = s->layer[0].dh1;
      y->dh2 = s->layer[0].dh2;
      continue;
    }
    y->d_out = take_reals(a, R * C);
    y->d_mid = take_reals(a, R * C);
    y->dq = take_reals(a, R * C);
    y->dkv = take_reals(a, R * KV);
    y->dh1 = take_reals(a, R * C);
    y->dh2 = take_reals(a, R * C);
  }
  s->x = take_reals(a, R * C);
  s->x_wanted = take_reals(a, R * C);
  s->hf = take_reals(a, R * C);
  s->xhatf = train ? take_reals(a, R * C) : NULL;
  s->rstdf = train ? take_reals(a, R) : NULL;
  s->temp = take_reals(a, R * C);
  if (train) {
    s->logits = take_reals(a, R * padded(d->V));
    s->dhf = take_reals(a, R * C);
    s->d_in = take_reals(a, R * C);
    s->dz = take_reals(a, R * C);
  }
  s->scratch = take_reals(a, (longest + HS) * (T + LANES) + padded(d->V));
  take_reals(a, 16); /* whole panels may be read past the last row */
}

void linear(real_t *y, const real_t *x, const real_t *packed, const real_t *bias, int n, int k, int n_out, int add) {
  const gemm_t g = {.m = n, .n = n_out, .k = k, .a = x, .a_row = row_stride(k), .a_k = 1, .b = packed, .b_k = LANES,
                    .b_panel = (ptrdiff_t)k * LANES, .c = y, .c_row = row_stride(n_out), .c_padded = 1, .bias = bias,
                    .mode = add ? GEMM_ADD : GEMM_STORE};
  gemm(&g);
}

/* kv: rows of keys and values; sequence s begins at row kv_start[s] and reaches to its last query */
static void block_attention(const description *d, layer_store *y, const real_t *kv, const int32_t *kv_start, int S,
                            const queries *qs, real_t *scratch) {
  const int Cp = padded(d->C), HS = d->C / d->NH;
  const ptrdiff_t row = row_stride(d->C), kv_row = row_stride(2 * Cp);
  const real_t scale = (real_t)1 / real_sqrt((real_t)HS);
  real_t *p = y->p;
  for (int s = 0; s < S; s++) {
    const int q0 = qs->start[s], nq = qs->start[s + 1] - q0;
    const int T = qs->last[q0 + nq - 1], Tp = padded(T);
    const real_t *k = kv + kv_start[s] * kv_row, *v = k + Cp;
    for (int h = 0; h < d->NH; h++) {
      const ptrdiff_t q_at = q0 * row + h * HS;
      attention_scores(p, y->q + q_at, row, qs->position + q0, nq, k + h * HS, kv_row, T, HS, scratch);
      softmax_rows(p, qs->last + q0, nq, Tp, scale);
      attention_values(y->z + q_at, row, p, qs->last + q0, nq, v + h * HS, kv_row, T, HS);
      p += (ptrdiff_t)nq * Tp;
    }
  }
}

static void append(const kv_cache *cache, real_t *layer, const real_t *kv, const chunk *c, int width) {
  const ptrdiff_t row = row_stride(width);
  for (int s = 0; s < c->S; s++)
    for (int r = c->all.start[s]; r < c->all.start[s + 1]; r++) {
      const ptrdiff_t to = cache->start[s] + c->all.position[r];
      copy_reals(layer + to * row, kv + r * row, width);
    }
}

/* x += in w + bias over n rows, which is an activation of its own where it is visited */
static void to_residual(const weights *w, const chunk *c, const visits *v, int selected, int site, real_t *x,
                        const real_t *in, const real_t *packed, const real_t *bias, int n, int k, real_t *temp) {
  const int C = w->d->C;
  if (!is_visited(v, site)) {
    linear(x, in, packed, bias, n, k, C, 1);
    return;
  }
  if (!is_given(v, site)) linear(temp, in, packed, bias, n, k, C, 0);
  visit(v, c, selected, site, temp, C, row_stride(C));
  add_rows(x, x, temp, n, C);
}

/* nothing reads what is computed from `site` to before the given `end` */
static int is_needless(const visits *v, int site, int end) { return v && is_given(v, end) && !keeps_any(v, site, end); }

void chunk_forward(const weights *w, const chunk *c, chunk_store *s, int train, const kv_cache *cache, const visits *v) {
  const description *d = w->d;
  const int C = d->C, Cp = padded(C), M = d->M;
  const ptrdiff_t row = row_stride(C), kv_row = row_stride(2 * Cp), hidden = row_stride(M);
  const int begin = v ? v->first_layer : 0;
  if (begin == 0) {
    gather_embedding(s->x, w->wte, c->token, c->n, C);
    visit(v, c, 0, EMBED, s->x, C, row);
    gather_embedding(s->temp, w->wpe, c->all.position, c->n, C);
    visit(v, c, 0, POS_EMBED, s->temp, C, row);
    add_rows(s->x, s->x, s->temp, c->n, C);
  } else {
    visit(v, c, 0, FIRST_BLOCK + begin * BLOCK_ACTIVATIONS - BLOCK_ACTIVATIONS + RESID_POST, s->x, C, row);
  }
  real_t *x = s->x;
  for (int l = begin; l < d->L; l++) {
    const int block = FIRST_BLOCK + l * BLOCK_ACTIVATIONS;
    const block_weights *b = weights_of(w, l);
    layer_store *y = &s->layer[l];
    /* the last block needs keys and values of every row, all else of the wanted rows only */
    const int select = l == d->L - 1 && c->wanted.n < c->n;
    const queries *qs = select ? &c->wanted : &c->all;
    const int nq = qs->n;
    visit(v, c, 0, block + RESID_PRE, x, C, row);
    real_t *x_queries = x;
    if (select) {
      gather_rows(s->x_wanted, x, qs->row, nq, C);
      x_queries = s->x_wanted;
    }
    const int no_write = is_needless(v, block + LN1, block + RESID_MID);
    if (!no_write && !is_needless(v, block + LN1, block + ATTN_OUT) && !is_needless(v, block + LN1, block + Z)) {
      layernorm_forward(y->h1, y->xhat1, y->rstd1, x, b->ln1_w, b->ln1_b, c->n, C);
      visit(v, c, 0, block + LN1, y->h1, C, row);
      const real_t *h1_queries = y->h1;
      if (select) {
        gather_rows(y->h1_wanted, y->h1, qs->row, nq, C);
        h1_queries = y->h1_wanted;
      }
      linear(y->q, h1_queries, b->q, b->q_bias, nq, C, C, 0);
      visit(v, c, select, block + Q, y->q, C, row);
      linear(y->kv, y->h1, b->kv, b->kv_bias, c->n, C, 2 * Cp, 0);
      visit(v, c, 0, block + K, y->kv, C, kv_row);
      visit(v, c, 0, block + V, y->kv + Cp, C, kv_row);
      if (cache) {
        real_t *layer = cache->kv + l * cache->layer_size;
        append(cache, layer, y->kv, c, 2 * Cp);
        block_attention(d, y, layer, cache->start, c->S, qs, s->scratch);
      } else {
        block_attention(d, y, y->kv, c->all.start, c->S, qs, s->scratch);
      }
    }
    x = x_queries;
    if (!no_write) {
      visit(v, c, select, block + Z, y->z, C, row);
      to_residual(w, c, v, select, block + ATTN_OUT, x, y->z, b->proj, b->proj_bias, nq, C, s->temp);
    }
    visit(v, c, select, block + RESID_MID, x, C, row);
    if (!is_needless(v, block + LN2, block + MLP_OUT)) {
      layernorm_forward(y->h2, y->xhat2, y->rstd2, x, b->ln2_w, b->ln2_b, nq, C);
      visit(v, c, select, block + LN2, y->h2, C, row);
      real_t *pre = train ? y->slope : y->post;
      linear(pre, y->h2, b->fc, b->fc_bias, nq, C, M, 0);
      visit(v, c, select, block + MLP_PRE, pre, M, hidden);
      activation_forward(y->post, y->slope, pre, nq, M, d->relu);
      visit(v, c, select, block + MLP_POST, y->post, M, hidden);
    }
    to_residual(w, c, v, select, block + MLP_OUT, x, y->post, b->out, b->out_bias, nq, M, s->temp);
    visit(v, c, select, block + RESID_POST, x, C, row);
  }
  if (begin == d->L && c->wanted.n < c->n) {
    gather_rows(s->x_wanted, x, c->wanted.row, c->wanted.n, C);
    x = s->x_wanted;
  }
  layernorm_forward(s->hf, s->xhatf, s->rstdf, x, w->lnf_w, w->lnf_b, c->wanted.n, C);
  visit(v, c, 1, FIRST_BLOCK + d->L * BLOCK_ACTIVATIONS, s->hf, C, row);
}

void unembed(const weights *w, real_t *logits, ptrdiff_t row, const real_t *hf, int n) {
  const description *d = w->d;
  const gemm_t g = {.m = n, .n = d->V, .k = d->C, .a = hf, .a_row = row_stride(d->C), .a_k = 1, .b = w->head, .b_k = LANES,
                    .b_panel = (ptrdiff_t)d->C * LANES, .c = logits, .c_row = row, .c_padded = row >= padded(d->V), .bias = w->head_bias};
  gemm(&g);
}
