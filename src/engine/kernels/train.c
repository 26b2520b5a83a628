/* The fused training driver: forward, backward and AdamW of one ragged batch in one call. */
#include "drivers.h"

typedef struct {
  const weights *w;
  const real_t *parameters;
  void *work;
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

/* One chunk forward and back; g as in chunk_backward. */
static void train_chunk(training *t, const chunk *c, chunk_store *s, real_t *g) {
  const description *d = t->w->d;
  chunk_forward(t->w, c, s, 1, NULL, NULL);
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
static uint64_t prepare(training *t, weights *w, const description *d, const real_t *state, arena *a, const int32_t *tokens,
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

/* Weights are packed and gradients set to zero. */
static void begin_task(void *context, int part) {
  const training *t = context;
  const description *d = t->w->d;
  weights w;
  arena a = {t->work, 0};
  prepare_weights(&w, d, t->parameters, &a, 1, &(share){part, t->parts, 0});
  ptrdiff_t from, to;
  range_of(d, part, t->parts, &from, &to);
  for (int shard = 0; shard < SHARDS; shard++) zero_reals(t->gradients[shard] + from, to - from);
}

/* The sums of all shards into the first, and their squares. */
static void add_shards_task(void *context, int part) {
  const training *t = context;
  const description *d = t->w->d;
  const int blocks = sum_blocks(d);
  for (int block = blocks * part / t->parts; block < blocks * (part + 1) / t->parts; block++) {
    const ptrdiff_t from = (ptrdiff_t)block * SUM_BLOCK, left = d->arena_size - from;
    const ptrdiff_t n = left < SUM_BLOCK ? left : SUM_BLOCK;
    real_t *sums = t->gradients[0] + from;
    for (int shard = 1; shard < SHARDS; shard++) add_to(sums, t->gradients[shard] + from, n);
    t->squares[block] = sum_of_squares(sums, n);
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
  t.parameters = state;
  t.work = work;
  t.gradients[0] = state + d->arena_size;
  t.losses = losses;
  t.loss_scale = (real_t)1 / (real_t)t.p.n_targets;
  t.parts = n_threads;
  parallel_run(threads, begin_task, &t, t.parts);
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
  parallel_run(threads, add_shards_task, &t, t.parts);
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
