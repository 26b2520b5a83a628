/* The fused training driver: forward, backward and AdamW of one ragged batch in one call. */
#include "drivers.h"
#include "gemm.h"
#include "vmath.h"

typedef struct {
  const weights *w;
  plan p;
  chunk_store *stores; /* one for each shard that is at work, or for each chunk of a group */
  int n_stores, group_at, group_size;
  real_t *gradients[SHARDS]; /* sums of each shard; the first: the arena's */
  real_t *losses;
  double *squares; /* sums of squares of the gradients, by SUM_BLOCK */
  real_t loss_scale;
  int parts; /* pieces of a weight's rows, by tasks of their own */
} training;

/* Numbers of the arena whose squares are summed together; the sums are added in order, whoever made them. */
#define SUM_BLOCK 8192
static int sum_blocks(const description *d) { return (d->arena_size + SUM_BLOCK - 1) / SUM_BLOCK; }

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

/* Kinds of parameters of a block, the gradients of each from others of its activations. */
enum { GRADIENT_Q, GRADIENT_K, GRADIENT_V, GRADIENT_PROJ, GRADIENT_FC, GRADIENT_OUT, GRADIENT_VECTORS, BLOCK_KINDS };

/* Adds the gradients of one kind, from application `l` of a block to one chunk, to g: a whole arena. */
static void block_gradient(const description *d, real_t *g, int l, int kind, share piece, const chunk *c,
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

/* Gradients of the unembedding and the embeddings, which may be one tensor: this order, chunk by chunk. */
static void token_gradient(const description *d, real_t *g, const chunk *c, const chunk_store *s) {
  weight_gradient((share){0, 1, 0}, g + d->head, s->logits, padded(d->V), d->V, s->hf, d->C, c->wanted.n);
  if (d->head_b >= 0) column_sums(g + d->head_b, s->logits, padded(d->V), c->wanted.n, d->V);
  scatter_embedding(g + d->wte, s->d_in, c->token, c->n, d->C);
}

static void position_gradient(const description *d, real_t *g, const chunk *c, const chunk_store *s) {
  scatter_embedding(g + d->wpe, s->d_in, c->all.position, c->n, d->C);
  layernorm_parameters(g + d->lnf_w, d->lnf_b < 0 ? NULL : g + d->lnf_b, s->dhf, s->xhatf, c->wanted.n, d->C);
}

/* Gradients of every activation of a chunk. With g, a whole arena, those of the parameters are added to it while what they
 * are made from is in cache; NULL: they come later, and the store keeps the gradients of all blocks. */
static void chunk_backward(const weights *w, const chunk *c, chunk_store *s, real_t *g) {
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

/* One chunk forward and back; g as in chunk_backward. */
static void train_chunk(training *t, const chunk *c, chunk_store *s, real_t *g) {
  const description *d = t->w->d;
  chunk_forward(t->w, c, s, 1, NULL);
  unembed(t->w, s->logits, padded(d->V), s->hf, c->wanted.n);
  cross_entropy(t->losses + c->loss_at, s->logits, s->logits, padded(d->V), c->target, c->wanted.n, d->V, t->loss_scale,
                NULL);
  chunk_backward(t->w, c, s, g);
  if (!g) return;
  token_gradient(d, g, c, s);
  position_gradient(d, g, c, s);
}

/* All chunks of one shard, one after another. */
static void shard_task(void *context, int shard) {
  training *t = context;
  chunk_store *s = &t->stores[shard % t->n_stores];
  for (int i = t->p.shard[shard]; i < t->p.shard[shard + 1]; i++) train_chunk(t, &t->p.chunks[i], s, t->gradients[shard]);
}

/* More threads than shards: all chunks of a group, each by a task; then all pieces of the parameters, each by a task. */
static void chunk_task(void *context, int task) {
  training *t = context;
  train_chunk(t, &t->p.chunks[t->group_at + task], &t->stores[task], NULL);
}

/* One piece of the parameter gradients of one shard: over the chunks of the group in order, over applications from last to
 * first. */
static void parameter_task(void *context, int task) {
  const training *t = context;
  const description *d = t->w->d;
  const int shard = task % SHARDS, rest = task / SHARDS;
  const share piece = {rest % t->parts, t->parts, 0};
  const int i = rest / t->parts / BLOCK_KINDS, kind = rest / t->parts % BLOCK_KINDS;
  real_t *g = t->gradients[shard];
  for (int m = 0; m < t->group_size; m++) {
    const int index = t->group_at + m;
    if (index < t->p.shard[shard] || index >= t->p.shard[shard + 1]) continue;
    const chunk *c = &t->p.chunks[index];
    const chunk_store *s = &t->stores[m];
    if (i < d->n_blocks) {
      for (int l = d->L - 1; l >= 0; l--)
        if (d->n_blocks == 1 || l == i) block_gradient(d, g, l, kind, piece, c, &s->layer[l]);
    } else if (piece.part == 0 && kind == 0) {
      token_gradient(d, g, c, s);
    } else if (piece.part == 0 && kind == 1) {
      position_gradient(d, g, c, s);
    }
  }
}

/* Lays out everything a training call needs; returns the bytes. */
static size_t prepare(training *t, weights *w, const description *d, const real_t *state, arena *a, const int32_t *tokens,
                      const int32_t *targets, const int32_t *offsets, int N, int S, int longest, int threads, int fill) {
  prepare_weights(w, d, state, a, 1, NULL);
  for (int shard = 1; shard < SHARDS; shard++) t->gradients[shard] = take_reals(a, d->arena_size);
  t->squares = take(a, sizeof(double) * (size_t)sum_blocks(d));
  make_plan(&t->p, a, d, tokens, targets, offsets, N, S, longest);
  const int by_shards = threads <= SHARDS;
  t->n_stores = by_shards ? threads : group_chunks(d, N, longest, threads);
  t->stores = take(a, sizeof(chunk_store) * (size_t)t->n_stores);
  for (int i = 0; i < t->n_stores; i++) {
    chunk_store counted;
    prepare_store(fill ? &t->stores[i] : &counted, a, d, chunk_rows(d, longest), longest,
                  by_shards ? KEEP_FORWARD : KEEP_GRADIENTS);
  }
  return a->used;
}

/* Bytes of work memory for batches of up to N tokens in up to S sequences of at most `longest`. */
EXPORT(train_work_bytes)
double train_work_bytes(const description *d, int N, int S, int longest, int threads) {
  training t;
  weights w;
  arena a = {NULL, 0};
  return (double)prepare(&t, &w, d, NULL, &a, NULL, NULL, NULL, N, S, longest, threads, 0);
}

/* A task of begin_task and adamw_task handles this range of the arena: whole groups of 16 numbers. */
static void range_of(const description *d, int part, int parts, ptrdiff_t *from, ptrdiff_t *to) {
  const ptrdiff_t groups = d->arena_size / 16;
  *from = groups * part / parts * 16;
  *to = groups * (part + 1) / parts * 16;
}

typedef struct {
  const description *d;
  const real_t *state;
  void *work;
  real_t *const *gradients;
  double *squares;
  int parts;
} beginning;

/* Weights are packed and gradients set to zero. */
static void begin_task(void *context, int part) {
  const beginning *b = context;
  weights w;
  arena a = {b->work, 0};
  prepare_weights(&w, b->d, b->state, &a, 1, &(share){part, b->parts, 0});
  ptrdiff_t from, to;
  range_of(b->d, part, b->parts, &from, &to);
  for (int shard = 0; shard < SHARDS; shard++) zero_reals(b->gradients[shard] + from, to - from);
}

/* The sums of all shards into the first, and their squares. */
static void add_shards_task(void *context, int part) {
  const beginning *b = context;
  const int blocks = sum_blocks(b->d);
  for (int block = blocks * part / b->parts; block < blocks * (part + 1) / b->parts; block++) {
    const ptrdiff_t from = (ptrdiff_t)block * SUM_BLOCK, left = b->d->arena_size - from;
    const ptrdiff_t n = left < SUM_BLOCK ? left : SUM_BLOCK;
    real_t *sums = b->gradients[0] + from;
    for (int shard = 1; shard < SHARDS; shard++) add_to(sums, b->gradients[shard] + from, n);
    b->squares[block] = sum_of_squares(sums, n);
  }
}

/* Mean loss over targets, its gradient, and the L2 norm of that. state: parameters | gradients | ...; gradients and losses
 * [targets] written.
 * @returns the sum of the losses, nats */
static double gradients_and_norm(pool *threads, const description *d, real_t *state, void *work, const int32_t *tokens,
                                 const int32_t *targets, const int32_t *offsets, int N, int S, int longest,
                                 real_t *losses, double *norm) {
  training t;
  weights w;
  arena a = {work, 0};
  const int n_threads = parallel_threads(threads);
  prepare(&t, &w, d, state, &a, tokens, targets, offsets, N, S, longest, n_threads, 1);
  t.w = &w;
  t.gradients[0] = state + d->arena_size;
  t.losses = losses;
  t.loss_scale = (real_t)1 / (real_t)t.p.n_targets;
  t.parts = n_threads;
  beginning b = {.d = d, .state = state, .work = work, .gradients = t.gradients, .squares = t.squares,
                 .parts = n_threads};
  parallel_run(threads, begin_task, &b, b.parts);
  if (n_threads <= SHARDS) {
    parallel_run(threads, shard_task, &t, SHARDS);
  } else {
    for (t.group_at = 0; t.group_at < t.p.n_chunks; t.group_at += t.n_stores) {
      const int left = t.p.n_chunks - t.group_at;
      t.group_size = left < t.n_stores ? left : t.n_stores;
      parallel_run(threads, chunk_task, &t, t.group_size);
      parallel_run(threads, parameter_task, &t, (d->n_blocks * BLOCK_KINDS + 2) * t.parts * SHARDS);
    }
  }
  parallel_run(threads, add_shards_task, &b, b.parts);
  double squares = 0;
  for (int block = 0; block < sum_blocks(d); block++) squares += t.squares[block];
  *norm = __builtin_sqrt(squares);
  return sum_in_order(losses, t.p.n_targets);
}

EXPORT(train_gradients)
double train_gradients(pool *threads, const description *d, real_t *state, void *work, const int32_t *tokens,
                       const int32_t *targets, const int32_t *offsets, int N, int S, int longest, real_t *losses) {
  double norm;
  return gradients_and_norm(threads, d, state, work, tokens, targets, offsets, N, S, longest, losses, &norm);
}

#define MOST_UPDATE_TASKS 64

typedef struct {
  const description *d;
  real_t *state;
  const adamw_options *options;
  double clip_factor, t_step;
  int parts;
  int finite[MOST_UPDATE_TASKS];
} update;

static void adamw_task(void *context, int part) {
  update *u = context;
  const ptrdiff_t stride = u->d->arena_size;
  ptrdiff_t from, to;
  range_of(u->d, part, u->parts, &from, &to);
  u->finite[part] = 1;
  for (int i = 0; i < u->d->n_specs; i++) {
    const ptrdiff_t begin = u->d->spec[i].offset, end = begin + (u->d->spec[i].size + 15) / 16 * 16;
    const ptrdiff_t first = begin > from ? begin : from, last = end < to ? end : to;
    if (first >= last) continue;
    real_t *p = u->state + first;
    u->finite[part] &= adamw(p, p + stride, p + 2 * stride, p + 3 * stride, last - first, u->options,
                             u->d->spec[i].decays, u->clip_factor, u->t_step);
  }
}

/* Gradients, finiteness of everything the update reads, clipping, AdamW. Parameters and moments are changed only when
 * the mean loss, the gradient norm and all four sections are finite.
 * @param t_step - updates done before, plus one  @returns 1: updated, 0: found something not finite */
EXPORT(train_step)
int train_step(pool *threads, const description *d, real_t *state, void *work, const int32_t *tokens,
               const int32_t *targets, const int32_t *offsets, int N, int S, int longest, real_t *losses,
               const adamw_options *o, double t_step, step_result *result) {
  result->loss_sum = gradients_and_norm(threads, d, state, work, tokens, targets, offsets, N, S, longest, losses,
                                        &result->gradient_norm);
  const ptrdiff_t stride = d->arena_size;
  result->bad_section = check_state(state, stride, stride, result->state_is_finite != 0, result->gradient_norm);
  if (!(result->loss_sum - result->loss_sum == 0) || result->bad_section != 0) return 0;
  double factor = o->clip / (result->gradient_norm + 1e-6);
  if (!(factor < 1)) factor = 1;
  const int n_threads = parallel_threads(threads);
  update u = {.d = d, .state = state, .options = o, .clip_factor = factor, .t_step = t_step,
              .parts = n_threads < MOST_UPDATE_TASKS ? n_threads : MOST_UPDATE_TASKS};
  parallel_run(threads, adamw_task, &u, u.parts);
  result->state_is_finite = 1;
  for (int part = 0; part < u.parts; part++)
    if (!u.finite[part]) result->state_is_finite = 0;
  return 1;
}
