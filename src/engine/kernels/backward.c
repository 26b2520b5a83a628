/* The backward pass of one chunk: gradients of its activations, and what they add to the gradients of parameters. */
#include "gemm.h"
#include "model.h"
#include "vmath.h"

/* y [n, padded n_out] = dy [n, dy_row ..] w, from rows packed by pack_rows */
static void backward_linear(real_t *dx, const real_t *dy, ptrdiff_t dy_row, const real_t *rows, int n, int k, int n_in,
                            gemm_mode mode) {
  const gemm_t g = {.m = n, .n = n_in, .k = k, .a = dy, .a_row = dy_row, .a_k = 1, .b = rows, .b_k = LANES,
                    .b_panel = (ptrdiff_t)k * LANES, .c = dx, .c_row = row_stride(n_in), .c_padded = 1, .mode = mode};
  gemm(&g);
}

static void attention_gradient(const description *d, layer_store *y, const real_t *dz, const chunk *c,
                               const queries *qs, real_t *scratch) {
  const int Cp = padded(d->C), HS = d->C / d->NH;
  const ptrdiff_t row = row_stride(d->C), kv_row = row_stride(2 * Cp);
  const real_t scale = (real_t)1 / real_sqrt((real_t)HS);
  const real_t *p = y->p;
  for (int s = 0; s < c->S; s++) {
    const int r0 = c->all.start[s], T = c->all.start[s + 1] - r0;
    const int q0 = qs->start[s], nq = qs->start[s + 1] - q0;
    for (int h = 0; h < d->NH; h++) {
      const ptrdiff_t q_at = q0 * row + h * HS, kv_at = r0 * kv_row + h * HS;
      const attention_gradients g = {.dz = dz + q_at, .q = y->q + q_at, .k = y->kv + kv_at, .v = y->kv + kv_at + Cp,
                                     .dq = y->dq + q_at, .dk = y->dkv + kv_at, .dv = y->dkv + kv_at + Cp, .dz_row = row,
                                     .q_row = row, .kv_row = kv_row, .dq_row = row, .dkv_row = kv_row};
      attention_backward(&g, p, qs->position + q0, qs->last + q0, qs->first + r0, nq, T, HS, scale, scratch);
      p += (ptrdiff_t)nq * padded(T);
    }
  }
}

/* rows [part / parts) of dw [n_out, n_in] += dy^T x, sums over n rows in order */
static void weight_gradient(share piece, real_t *dw, const real_t *dy, ptrdiff_t dy_row, int n_out,
                            const real_t *x, int n_in, int n) {
  const int from = n_out * piece.part / piece.parts, to = n_out * (piece.part + 1) / piece.parts;
  const gemm_t g = {.m = to - from, .n = n_in, .k = n, .a = dy + from, .a_row = 1, .a_k = dy_row, .b = x,
                    .b_k = row_stride(n_in), .b_panel = LANES, .c = dw + (ptrdiff_t)from * n_in, .c_row = n_in,
                    .c_padded = n_in % LANES == 0, .mode = GEMM_ACCUMULATE};
  if (g.m > 0) gemm(&g);
}

void block_gradient(const description *d, real_t *g, int l, int kind, share piece, const chunk *c,
                           const layer_store *y) {
  const block_offsets *o = &d->block[d->n_blocks > 1 ? l : 0];
  const int select = l == d->L - 1 && c->wanted.n < c->n;
  const int C = d->C, Cp = padded(C), M = d->M;
  const ptrdiff_t row = row_stride(C), kv_row = row_stride(2 * Cp), mlp_row = row_stride(M);
  const int n = c->n, nq = select ? c->wanted.n : n;
  const real_t *h1_queries = select ? y->h1_wanted : y->h1;
  switch (kind) {
    case GRADIENT_Q: weight_gradient(piece, g + o->attn_w, y->dq, row, C, h1_queries, C, nq); break;
    case GRADIENT_K: weight_gradient(piece, g + o->attn_w + C * C, y->dkv, kv_row, C, y->h1, C, n); break;
    case GRADIENT_V: weight_gradient(piece, g + o->attn_w + 2 * C * C, y->dkv + Cp, kv_row, C, y->h1, C, n); break;
    case GRADIENT_PROJ: weight_gradient(piece, g + o->proj_w, y->d_mid, row, C, y->z, C, nq); break;
    case GRADIENT_FC: weight_gradient(piece, g + o->fc_w, y->slope, mlp_row, M, y->h2, C, nq); break;
    case GRADIENT_OUT: weight_gradient(piece, g + o->out_w, y->d_out, row, C, y->post, M, nq); break;
    default:
      if (piece.part > 0) break;
      layernorm_parameters(g + o->ln1_w, o->ln1_b < 0 ? NULL : g + o->ln1_b, y->dh1, y->xhat1, n, C);
      layernorm_parameters(g + o->ln2_w, o->ln2_b < 0 ? NULL : g + o->ln2_b, y->dh2, y->xhat2, nq, C);
      if (o->attn_b >= 0) {
        column_sums(g + o->attn_b, y->dq, row, nq, C);
        column_sums(g + o->attn_b + C, y->dkv, kv_row, n, C);
        column_sums(g + o->attn_b + 2 * C, y->dkv + Cp, kv_row, n, C);
      }
      if (o->proj_b < 0) break;
      column_sums(g + o->proj_b, y->d_mid, row, nq, C);
      column_sums(g + o->fc_b, y->slope, mlp_row, nq, M);
      column_sums(g + o->out_b, y->d_out, row, nq, C);
  }
}

void token_gradient(const description *d, real_t *g, const chunk *c, const chunk_store *s) {
  weight_gradient((share){0, 1, 0}, g + d->head, s->logits, padded(d->V), d->V, s->hf, d->C, c->wanted.n);
  if (d->head_b >= 0) column_sums(g + d->head_b, s->logits, padded(d->V), c->wanted.n, d->V);
  scatter_embedding(g + d->wte, s->d_in, c->token, c->n, d->C);
}

void position_gradient(const description *d, real_t *g, const chunk *c, const chunk_store *s) {
  scatter_embedding(g + d->wpe, s->d_in, c->all.position, c->n, d->C);
  layernorm_parameters(g + d->lnf_w, d->lnf_b < 0 ? NULL : g + d->lnf_b, s->dhf, s->xhatf, c->wanted.n, d->C);
}

void chunk_backward(const weights *w, const chunk *c, chunk_store *s, real_t *g) {
  const description *d = w->d;
#define ADD_GRADIENT(kind) (g ? block_gradient(d, g, l, kind, (share){0, 1, 0}, c, y) : (void)0)
  const int C = d->C, Cp = padded(C), M = d->M, L = d->L;
  const ptrdiff_t row = row_stride(C), kv_row = row_stride(2 * Cp);
  backward_linear(s->dhf, s->logits, padded(d->V), w->head_rows, c->wanted.n, d->V, C, GEMM_STORE);
  layernorm_backward(s->layer[L - 1].d_out, NULL, s->dhf, s->xhatf, s->rstdf, w->lnf_w, c->wanted.n, C);
  for (int l = L - 1; l >= 0; l--) {
    const block_weights *b = weights_of(w, l);
    layer_store *y = &s->layer[l];
    const int select = l == L - 1 && c->wanted.n < c->n;
    const queries *qs = select ? &c->wanted : &c->all;
    const int nq = qs->n;
    backward_linear(y->slope, y->d_out, row, b->out_rows, nq, C, M, GEMM_MULTIPLY);
    ADD_GRADIENT(GRADIENT_OUT);
    ADD_GRADIENT(GRADIENT_FC);
    backward_linear(y->dh2, y->slope, row_stride(M), b->fc_rows, nq, M, C, GEMM_STORE);
    layernorm_backward(y->d_mid, y->d_out, y->dh2, y->xhat2, y->rstd2, b->ln2_w, nq, C);
    ADD_GRADIENT(GRADIENT_PROJ);
    backward_linear(s->dz, y->d_mid, row, b->proj_rows, nq, C, C, GEMM_STORE);
    attention_gradient(d, y, s->dz, c, qs, s->scratch);
    ADD_GRADIENT(GRADIENT_Q);
    ADD_GRADIENT(GRADIENT_K);
    ADD_GRADIENT(GRADIENT_V);
    backward_linear(y->dh1, y->dkv, kv_row, b->k_rows, c->n, C, C, GEMM_STORE);
    backward_linear(y->dh1, y->dkv + Cp, kv_row, b->v_rows, c->n, C, C, GEMM_ACCUMULATE);
    real_t *d_in = l == 0 ? s->d_in : s->layer[l - 1].d_out;
    if (select) {
      backward_linear(s->temp, y->dq, row, b->q_rows, nq, C, C, GEMM_STORE);
      scatter_add_rows(y->dh1, s->temp, qs->row, nq, C);
      ADD_GRADIENT(GRADIENT_VECTORS);
      layernorm_backward(d_in, NULL, y->dh1, y->xhat1, y->rstd1, b->ln1_w, c->n, C);
      scatter_add_rows(d_in, y->d_mid, qs->row, nq, C);
    } else {
      backward_linear(y->dh1, y->dq, row, b->q_rows, nq, C, C, GEMM_ACCUMULATE);
      ADD_GRADIENT(GRADIENT_VECTORS);
      layernorm_backward(d_in, y->d_mid, y->dh1, y->xhat1, y->rstd1, b->ln1_w, c->n, C);
    }
  }
}
