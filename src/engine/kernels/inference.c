/* Fused forward pass of a batch, and the steps of greedy generation with a key/value cache. */
#include "drivers.h"

typedef struct {
  const weights *w;
  plan p;
  chunk_store *stores;
  int group_most, group_at;
  real_t *logits, *losses;
  const visits *visited; /* NULL: none */
} inference;

static void forward_task(void *context, int task) {
  inference *t = context;
  const int V = t->w->d->V;
  const chunk *c = &t->p.chunks[t->group_at + task];
  chunk_store *s = &t->stores[task];
  real_t *logits = t->logits + (ptrdiff_t)c->loss_at * V;
  chunk_forward(t->w, c, s, 0, NULL, t->visited);
  unembed(t->w, logits, V, s->hf, c->wanted.n);
  cross_entropy(t->losses + c->loss_at, NULL, logits, V, c->target, c->wanted.n, V, 0, s->scratch);
}

static uint64_t prepare(inference *t, weights *w, const description *d, const real_t *parameters, arena *a,
                        const int32_t *tokens, const int32_t *targets, const int32_t *offsets, int N, int S, int longest,
                        int threads, int fill) {
  prepare_weights(w, d, parameters, a, 0, fill ? WHOLE : NULL);
  make_plan(&t->p, a, d, tokens, targets, offsets, N, S, longest);
  t->group_most = group_chunks(d, N, longest, threads);
  t->stores = take(a, sizeof(chunk_store) * (size_t)t->group_most);
  for (int i = 0; i < t->group_most; i++) {
    chunk_store counted;
    prepare_store(fill ? &t->stores[i] : &counted, a, d, chunk_rows(d, longest), longest, KEEP_NOTHING);
  }
  return a->used;
}

EXPORT(forward_work_bytes)
double forward_work_bytes(const description *d, int N, int S, int longest, int threads) {
  inference t;
  weights w;
  arena a = {NULL, 0};
  return (double)prepare(&t, &w, d, NULL, &a, NULL, NULL, NULL, N, S, longest, threads, 0);
}

/* logits [targets, V] without padding, losses [targets]: written. n_given of `given` and `kept`: see visits, model.h; kept
 * NULL: nothing is given or kept.
 * @returns the sum of the losses, nats */
EXPORT(forward_batch)
double forward_batch(pool *threads, const description *d, const real_t *parameters, void *work, const int32_t *tokens,
                     const int32_t *targets, const int32_t *offsets, int N, int S, int longest, real_t *logits,
                     real_t *losses, const given_rows *given, int n_given, const double *kept) {
  visits v = {.N = N, .n_given = n_given, .given = given, .kept = kept};
  if (kept) v.first_layer = first_needed_layer(&v, d);
  inference t;
  weights w;
  arena a = {work, 0};
  const int n_threads = parallel_threads(threads);
  prepare(&t, &w, d, parameters, &a, tokens, targets, offsets, N, S, longest, n_threads, 1);
  t.w = &w;
  t.logits = logits;
  t.losses = losses;
  t.visited = kept ? &v : NULL;
  for (t.group_at = 0; t.group_at < t.p.n_chunks; t.group_at += t.group_most) {
    const int left = t.p.n_chunks - t.group_at;
    parallel_run(threads, forward_task, &t, left < t.group_most ? left : t.group_most);
  }
  return sum_in_order(losses, t.p.n_targets);
}

typedef struct {
  weights w;
  kv_cache cache;
  chunk c;
  int32_t *position, *last, *row, *q_position, *q_last, *q_start, *kv_start;
  chunk_store store;
  real_t *logits;
} generation;

static uint64_t prepare_generation(generation *g, const description *d, const real_t *parameters, arena *a, int rows,
                                   int S, int capacity, int fill) {
  prepare_weights(&g->w, d, parameters, a, 0, fill ? WHOLE : NULL);
  g->cache.layer_size = (ptrdiff_t)S * capacity * row_stride(2 * padded(d->C));
  g->cache.kv = take_reals(a, (uint64_t)d->L * g->cache.layer_size + 16);
  g->position = take_ints(a, rows);
  g->last = take_ints(a, rows);
  g->row = take_ints(a, S);
  g->q_position = take_ints(a, S);
  g->q_last = take_ints(a, S);
  g->q_start = take_ints(a, S + 1);
  g->kv_start = take_ints(a, S);
  prepare_store(&g->store, a, d, rows, capacity, KEEP_NOTHING);
  g->logits = take_reals(a, (uint64_t)S * padded(d->V) + 16);
  return a->used;
}

/* Bytes for S sequences of up to `capacity` tokens, with at most `rows` new tokens in one call of generate_next. */
EXPORT(generate_work_bytes)
double generate_work_bytes(const description *d, int rows, int S, int capacity) {
  generation g;
  arena a = {NULL, 0};
  return (double)prepare_generation(&g, d, NULL, &a, rows, S, capacity, 0);
}

/* Appends new tokens to n sequences and writes the greedy next token of each: next [n]; -1 where a logit is NaN.
 * start [n + 1]: first new token of each; slot [n]: its place in the cache; length [n]: tokens it has there already.
 * max_rows, S and capacity: as given to generate_work_bytes. `first`: pack the weights (the first call). */
EXPORT(generate_next)
void generate_next(const description *d, const real_t *parameters, void *work, int max_rows, int S, int capacity,
                   int first, const int32_t *tokens, const int32_t *start, const int32_t *slot, const int32_t *length,
                   int n, int32_t *next) {
  generation g;
  arena a = {work, 0};
  prepare_generation(&g, d, parameters, &a, max_rows, S, capacity, first);
  for (int s = 0; s < n; s++) {
    for (int r = start[s]; r < start[s + 1]; r++) {
      g.position[r] = length[s] + r - start[s];
      g.last[r] = g.position[r] + 1;
    }
    g.row[s] = start[s + 1] - 1;
    g.q_position[s] = g.position[g.row[s]];
    g.q_last[s] = g.q_position[s] + 1;
    g.q_start[s] = s;
    g.kv_start[s] = slot[s] * capacity;
  }
  g.q_start[n] = n;
  g.cache.start = g.kv_start;
  g.c = (chunk){.n = start[n], .S = n, .token = tokens,
                .all = {.n = start[n], .position = g.position, .last = g.last, .start = start},
                .wanted = {.n = n, .row = g.row, .position = g.q_position, .last = g.q_last, .start = g.q_start}};
  chunk_forward(&g.w, &g.c, &g.store, 0, &g.cache, NULL);
  const int Vp = padded(d->V);
  unembed(&g.w, g.logits, Vp, g.store.hf, n);
  for (int s = 0; s < n; s++) next[s] = argmax(g.logits + (ptrdiff_t)s * Vp, d->V);
}
