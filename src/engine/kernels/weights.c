/* Packing of parameters into the panels that the matrix product reads, once a step. */
#include "model.h"
#include "gemm.h"

/* whether the next piece is this share's to fill */
static int is_ours(share *fill) { return fill && fill->next++ % fill->parts == fill->part; }

static real_t *packed(arena *a, const real_t *w, int n, int k, share *fill) {
  real_t *to = take_reals(a, packed_size(k, n));
  if (is_ours(fill)) pack_transposed(to, w, n, k);
  return to;
}

static real_t *packed_rows(arena *a, const real_t *w, int k, int n, share *fill) {
  real_t *to = take_reals(a, packed_size(k, n));
  if (is_ours(fill)) pack_rows(to, w, k, n, n);
  return to;
}

/* [parts, padded n] from a bias [parts, n], or zeros where there is none */
static real_t *padded_bias(arena *a, const real_t *bias, int parts, int n, share *fill) {
  real_t *to = take_reals(a, (size_t)parts * padded(n));
  if (is_ours(fill)) {
    zero_reals(to, (ptrdiff_t)parts * padded(n));
    if (bias)
      for (int part = 0; part < parts; part++) copy_reals(to + part * padded(n), bias + part * n, n);
  }
  return to;
}

void prepare_weights(weights *w, const description *d, const real_t *parameters, arena *a, int backward,
                     share *fill) {
  const int C = d->C, M = d->M;
#define AT(offset) ((offset) < 0 || !parameters ? NULL : parameters + (offset))
  w->d = d;
  const real_t *zeros = padded_bias(a, NULL, 1, C, fill);
  for (int i = 0; i < d->n_blocks; i++) {
    const block_offsets *o = &d->block[i];
    block_weights *b = &w->block[i];
    const real_t *attn = parameters ? parameters + o->attn_w : NULL, *attn_b = AT(o->attn_b);
    const real_t *attn_k = attn ? attn + C * C : NULL, *attn_v = attn ? attn + 2 * C * C : NULL;
    b->q = packed(a, attn, C, C, fill);
    /* keys and values side by side, [C, 2 padded C]: packed panels of k, then those of v */
    b->kv = take_reals(a, 2 * packed_size(C, C));
    if (is_ours(fill)) {
      pack_transposed(b->kv, attn_k, C, C);
      pack_transposed(b->kv + packed_size(C, C), attn_v, C, C);
    }
    b->proj = packed(a, AT(o->proj_w), C, C, fill);
    b->fc = packed(a, AT(o->fc_w), M, C, fill);
    b->out = packed(a, AT(o->out_w), C, M, fill);
    b->q_bias = padded_bias(a, attn_b, 1, C, fill);
    b->kv_bias = padded_bias(a, attn_b ? attn_b + C : NULL, 2, C, fill);
    b->proj_bias = padded_bias(a, AT(o->proj_b), 1, C, fill);
    b->fc_bias = padded_bias(a, AT(o->fc_b), 1, M, fill);
    b->out_bias = padded_bias(a, AT(o->out_b), 1, C, fill);
    b->ln1_w = AT(o->ln1_w);
    b->ln1_b = o->ln1_b < 0 ? zeros : AT(o->ln1_b);
    b->ln2_w = AT(o->ln2_w);
    b->ln2_b = o->ln2_b < 0 ? zeros : AT(o->ln2_b);
    if (backward) {
      b->q_rows = packed_rows(a, attn, C, C, fill);
      b->k_rows = packed_rows(a, attn_k, C, C, fill);
      b->v_rows = packed_rows(a, attn_v, C, C, fill);
      b->proj_rows = packed_rows(a, AT(o->proj_w), C, C, fill);
      b->fc_rows = packed_rows(a, AT(o->fc_w), M, C, fill);
      b->out_rows = packed_rows(a, AT(o->out_w), C, M, fill);
    }
  }
  w->head = packed(a, AT(d->head), d->V, C, fill);
  if (backward) w->head_rows = packed_rows(a, AT(d->head), d->V, C, fill);
  w->head_bias = d->head_b < 0 ? NULL : padded_bias(a, AT(d->head_b), 1, d->V, fill);
  w->lnf_w = AT(d->lnf_w);
  w->lnf_b = d->lnf_b < 0 ? zeros : AT(d->lnf_b);
  w->wte = AT(d->wte);
  w->wpe = AT(d->wpe);
}
