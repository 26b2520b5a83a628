/* The forward pass of a batch that copies out every activation that is asked for (model/activations.ts), chunk by chunk,
 * while it is in cache. Row by row it is the arithmetic of forward.c and stages.c; nothing can be overwritten here. */
#include "drivers.h"
#include "vec.h"
#include "vmath.h"
#ifdef __AVX__
#include <immintrin.h>
#endif

/* Whole sequences that go through the model together. */
typedef struct {
  int first, S;           /* sequences */
  int at, n;              /* rows */
  int loss_at, n_targets; /* rows with a target */
  ptrdiff_t pattern_at;   /* numbers of all patterns before */
} piece;

/* p: one head [T, padded T]; scores, pattern: those of the piece as they are handed out; packed: rows as they are;
 * rest: of each activation, a vector that has not left whole */
typedef struct {
  real_t *x, *h, *q, *kv, *z, *out, *post, *p, *scores, *pattern, *packed, *rest, *scratch;
} piece_store;

typedef struct {
  const weights *w;
  const int32_t *tokens, *offsets;
  int32_t *position, *iota, *wanted, *target;
  int N, n_pieces, group_most, group_at, streamed;
  piece *pieces;
  piece_store *stores;
  const double *results;
  real_t *logits, *losses;
} capture;

/* More than a second cache holds goes past the caches, which takes less than half the time: no line is fetched only to be
 * overwritten. */
#define STREAM_FROM_BYTES (2 << 20)
#define LINE 64 /* bytes that go together */

/* how many numbers `to` lies before the next whole vector */
static ptrdiff_t to_vector(const real_t *to) {
  return (ptrdiff_t)(-(uintptr_t)to % (VL * sizeof(real_t)) / sizeof(real_t));
}

/* Past the caches, or not. What lies before and behind whole vectors shares them with its neighbours. */
static void copy_out(real_t *to, const real_t *from, ptrdiff_t n, int streamed) {
  ptrdiff_t i = to_vector(to);
  if (!streamed || i > n) i = n;
  copy_reals(to, from, i);
  for (; i + VL <= n; i += VL) v_stream(to + i, v_load(from + i));
  copy_reals(to + i, from + i, n - i);
}

/* where numbers of this activation, of which `before` belong to earlier pieces, go; NULL: not wanted */
static real_t *place(const capture *t, int index, ptrdiff_t before) {
  real_t *result = (real_t *)(uintptr_t)t->results[index];
  return result ? result + before : NULL;
}

/* n rows of whole vectors past the caches, as keep() has them. Where `to` is within a vector of memory, each of those gets
 * parts of two of the rows', and what is left of the last waits in s->rest for the rows that follow: a part written by
 * itself would have its line fetched. */
static void stream_rows(const capture *t, const piece *c, piece_store *s, int index, real_t *to, const real_t *from,
                        int at, int n, int width, ptrdiff_t row) {
  const int ahead = (int)to_vector(to);
  if (ahead == 0) {
    for (int i = 0; i < n; i++, to += width, from += row)
      for (int j = 0; j < width; j += VL) v_stream(to + j, v_load(from + j));
    return;
  }
  /* one thread goes on where the piece before ended */
  const int first = t->group_most > 1 ? c->at : 0, end = t->group_most > 1 ? c->at + c->n : t->N;
  real_t *rest = s->rest + (ptrdiff_t)index * VL;
  vf last = v_load(rest);
  to += ahead - VL;
  for (int i = 0; i < n; i++, to += width, from += row)
    for (int j = 0; j < width; j += VL) {
      const vf x = v_load(from + j);
      if (at + i == first && j == 0) v_store_first(to + VL - ahead, x, ahead);
      else v_stream(to + j, v_join(last, x, ahead));
      last = x;
    }
  v_store(rest, last);
  if (at + n == end) v_store_first(to, v_join(last, last, ahead), VL - ahead);
}

/* from: n rows of `width` numbers, `row` apart, the first of them row `at` of the batch. All rows of a piece come in order. */
static void keep(const capture *t, const piece *c, piece_store *s, int index, const real_t *from, int at, int n,
                 int width, ptrdiff_t row) {
  real_t *to = place(t, index, (ptrdiff_t)at * width);
  if (!to) return;
  const ptrdiff_t all = (ptrdiff_t)n * width;
  if (t->streamed && width % VL == 0 && (uintptr_t)to % 16 == 0) {
    stream_rows(t, c, s, index, to, from, at, n, width, row);
  } else if (row == width) {
    copy_out(to, from, all, t->streamed);
  } else {
    /* rows that share a vector with their neighbours: one stretch first */
    real_t *packed = t->streamed ? s->packed : to;
    for (int i = 0; i < n; i++) copy_reals(packed + (ptrdiff_t)i * width, from + i * row, width);
    if (t->streamed) copy_out(to, packed, all, 1);
  }
}

/* out [T, T] = scale * p [T, padded T] up to the diagonal, `above` past it; a whole vector more may be written */
static void to_square(real_t *out, const real_t *p, int T, real_t scale, real_t above) {
  const ptrdiff_t row = padded(T);
  const vf s = v_set(scale), rest = v_set(above);
  for (int i = 0; i < T; i++, out += T, p += row)
    for (int j = 0; j < T; j += VL) v_store(out + j, v_first(v_mul(v_load(p + j), s), i + 1 - j, rest));
}

static ptrdiff_t pattern_numbers(const description *d, int T) { return (ptrdiff_t)d->NH * T * T; }

/* Scores or patterns of a piece that were arranged one after another in `from` and go to `to`, whole lines at a time. */
typedef struct {
  real_t *to, *from;
  ptrdiff_t done; /* numbers that have gone */
} squares;

/* lets whole lines of the first n numbers go, with `all` the rest as well */
static void let_go(const capture *t, squares *q, ptrdiff_t n, int all) {
  if (!q->to) return;
  if (!all) n -= (ptrdiff_t)((uintptr_t)(q->to + n) % LINE / sizeof(real_t));
  if (n <= q->done) return;
  copy_out(q->to + q->done, q->from + q->done, n - q->done, t->streamed);
  q->done = n;
}

/* z from q and kv, with scores and patterns on the way. They leave one head later than they were made, when the caches
 * have them, and between other arithmetic. */
static void attention(const capture *t, const piece *c, piece_store *s, int block) {
  const description *d = t->w->d;
  const int Cp = padded(d->C), HS = d->C / d->NH;
  const ptrdiff_t row = row_stride(d->C), kv_row = row_stride(2 * Cp);
  const real_t scale = (real_t)1 / real_sqrt((real_t)HS);
  squares scores = {place(t, block + SCORES, c->pattern_at), s->scores, 0};
  squares pattern = {place(t, block + PATTERN, c->pattern_at), s->pattern, 0};
  ptrdiff_t made = 0;
  for (int i = c->first; i < c->first + c->S; i++) {
    const int T = t->offsets[i + 1] - t->offsets[i], at = t->offsets[i] - c->at;
    const real_t *k = s->kv + at * kv_row, *v = k + Cp;
    for (int h = 0; h < d->NH; h++, made += (ptrdiff_t)T * T) {
      attention_scores(s->p, s->q + at * row + h * HS, row, t->iota, T, k + h * HS, kv_row, T, HS, s->scratch);
      let_go(t, &scores, made, 0);
      if (scores.to) to_square(scores.from + made, s->p, T, scale, NEGATIVE_INFINITY);
      softmax_rows(s->p, t->iota + 1, T, padded(T), scale);
      let_go(t, &pattern, made, 0);
      if (pattern.to) to_square(pattern.from + made, s->p, T, 1, 0);
      attention_values(s->z + at * row + h * HS, row, s->p, t->iota + 1, T, v + h * HS, kv_row, T, HS);
    }
  }
  let_go(t, &scores, made, 1);
  let_go(t, &pattern, made, 1);
}

/* x += in w + bias, which is an activation of its own; n rows from row `at` of the batch */
static void to_residual(const capture *t, const piece *c, piece_store *s, int index, real_t *x, const real_t *in,
                        const real_t *packed, const real_t *bias, int at, int n, int k) {
  const int C = t->w->d->C;
  const int wanted = t->results[index] != 0;
  linear(wanted ? s->out : x, in, packed, bias, n, k, C, !wanted);
  if (!wanted) return;
  keep(t, c, s, index, s->out, at, n, C, row_stride(C));
  add_rows(x, x, s->out, n, C);
}

/* Rows that go through a block's linear maps together. Stores past the caches wait their turn while arithmetic goes on, as
 * long as there are few of them in a row: one tile's rows (gemm.c) of each activation. */
#define SLICE_ROWS 12

/* From the residual stream to q and kv. */
static void before_attention(const capture *t, const piece *c, piece_store *s, const block_weights *b, int block) {
  const description *d = t->w->d;
  const int C = d->C, Cp = padded(C);
  const ptrdiff_t row = row_stride(C), kv_row = row_stride(2 * Cp);
  for (int i = 0; i < c->n; i += SLICE_ROWS) {
    const int n = c->n - i < SLICE_ROWS ? c->n - i : SLICE_ROWS, at = c->at + i;
    real_t *x = s->x + i * row, *q = s->q + i * row, *kv = s->kv + i * kv_row;
    keep(t, c, s, block + RESID_PRE, x, at, n, C, row);
    layernorm_forward(s->h, NULL, NULL, x, b->ln1_w, b->ln1_b, n, C);
    keep(t, c, s, block + LN1, s->h, at, n, C, row);
    linear(q, s->h, b->q, b->q_bias, n, C, C, 0);
    keep(t, c, s, block + Q, q, at, n, C, row);
    linear(kv, s->h, b->kv, b->kv_bias, n, C, 2 * Cp, 0);
    keep(t, c, s, block + K, kv, at, n, C, kv_row);
    keep(t, c, s, block + V, kv + Cp, at, n, C, kv_row);
  }
}

/* From z on to the block's end. The activation function goes row by row, as its rows are long. */
static void after_attention(const capture *t, const piece *c, piece_store *s, const block_weights *b, int block) {
  const description *d = t->w->d;
  const int C = d->C, M = d->M;
  const ptrdiff_t row = row_stride(C), hidden = row_stride(M);
  for (int i = 0; i < c->n; i += SLICE_ROWS) {
    const int n = c->n - i < SLICE_ROWS ? c->n - i : SLICE_ROWS, at = c->at + i;
    real_t *x = s->x + i * row;
    keep(t, c, s, block + Z, s->z + i * row, at, n, C, row);
    to_residual(t, c, s, block + ATTN_OUT, x, s->z + i * row, b->proj, b->proj_bias, at, n, C);
    keep(t, c, s, block + RESID_MID, x, at, n, C, row);
    layernorm_forward(s->h, NULL, NULL, x, b->ln2_w, b->ln2_b, n, C);
    keep(t, c, s, block + LN2, s->h, at, n, C, row);
    linear(s->post, s->h, b->fc, b->fc_bias, n, C, M, 0);
    for (int j = 0; j < n; j++) {
      real_t *one = s->post + j * hidden;
      keep(t, c, s, block + MLP_PRE, one, at + j, 1, M, hidden);
      activation_forward(one, NULL, one, 1, M, d->relu);
      keep(t, c, s, block + MLP_POST, one, at + j, 1, M, hidden);
    }
    to_residual(t, c, s, block + MLP_OUT, x, s->post, b->out, b->out_bias, at, n, M);
    keep(t, c, s, block + RESID_POST, x, at, n, C, row);
  }
}

static void piece_task(void *context, int task) {
  const capture *t = context;
  const weights *w = t->w;
  const description *d = w->d;
  const piece *c = &t->pieces[t->group_at + task];
  piece_store *s = &t->stores[task];
  const int C = d->C, Cp = padded(C), n = c->n, at = c->at;
  const ptrdiff_t row = row_stride(C), kv_row = row_stride(2 * Cp);
  gather_embedding(s->x, w->wte, t->tokens + at, n, C);
  keep(t, c, s, EMBED, s->x, at, n, C, row);
  gather_embedding(s->out, w->wpe, t->position + at, n, C);
  keep(t, c, s, POS_EMBED, s->out, at, n, C, row);
  add_rows(s->x, s->x, s->out, n, C);
  for (int l = 0; l < d->L; l++) {
    const block_weights *b = weights_of(w, l);
    const int block = FIRST_BLOCK + l * BLOCK_ACTIVATIONS;
    before_attention(t, c, s, b, block);
    attention(t, c, s, block);
    after_attention(t, c, s, b, block);
  }
  layernorm_forward(s->h, NULL, NULL, s->x, w->lnf_w, w->lnf_b, n, C);
  keep(t, c, s, FIRST_BLOCK + d->L * BLOCK_ACTIVATIONS, s->h, at, n, C, row);
  const real_t *hf = s->h;
  if (c->n_targets < n) {
    gather_rows(s->out, s->h, t->wanted + c->loss_at, c->n_targets, C);
    hf = s->out;
  }
  real_t *logits = t->logits + (ptrdiff_t)c->loss_at * d->V;
  unembed(w, logits, d->V, hf, c->n_targets);
  cross_entropy(t->losses + c->loss_at, NULL, logits, d->V, t->target + c->loss_at, c->n_targets, d->V, 0, s->scratch);
#ifdef __AVX__
  _mm_sfence(); /* before another thread may read it */
#endif
}

static void prepare_piece(piece_store *s, arena *a, const description *d, int rows, int longest) {
  const uint64_t R = rows, C = row_stride(d->C), M = row_stride(d->M), T = padded(longest);
  const uint64_t HS = d->C / d->NH;
  s->x = take_reals(a, R * C);
  s->h = take_reals(a, R * C);
  s->q = take_reals(a, R * C);
  s->kv = take_reals(a, R * row_stride(2 * padded(d->C)));
  s->z = take_reals(a, R * C);
  s->out = take_reals(a, R * C);
  s->post = take_reals(a, SLICE_ROWS * M);
  s->p = take_reals(a, longest * T);
  s->scores = take_reals(a, R * longest * d->NH + LANES);
  s->pattern = take_reals(a, R * longest * d->NH + LANES);
  s->packed = take_reals(a, R * (M > C ? M : C));
  s->rest = take_reals(a, (size_t)activation_count(d) * VL);
  s->scratch = take_reals(a, (longest + HS) * (T + LANES) + padded(d->V));
  take_reals(a, 16); /* whole panels may be read past the last row */
}

static void cut_into_pieces(capture *t, const description *d, const int32_t *targets, int S, int longest) {
  const int most = chunk_rows(d, longest);
  piece *c = NULL;
  int n_targets = 0;
  ptrdiff_t numbers = 0;
  t->n_pieces = 0;
  for (int s = 0; s < S; s++) {
    const int at = t->offsets[s], T = t->offsets[s + 1] - at;
    if (c == NULL || c->n + T > most) {
      c = &t->pieces[t->n_pieces++];
      *c = (piece){.first = s, .at = at, .loss_at = n_targets, .pattern_at = numbers};
    }
    for (int i = 0; i < T; i++) {
      t->position[at + i] = i;
      if (targets[at + i] < 0) continue;
      t->wanted[n_targets] = c->n + i;
      t->target[n_targets++] = targets[at + i];
    }
    c->S++;
    c->n += T;
    c->n_targets = n_targets - c->loss_at;
    numbers += pattern_numbers(d, T);
  }
}

static uint64_t prepare(capture *t, weights *w, const description *d, const real_t *parameters, arena *a, int N, int S,
                        int longest, int threads, share *fill) {
  prepare_weights(w, d, parameters, a, 0, fill);
  t->pieces = take(a, sizeof(piece) * (size_t)S);
  t->position = take_ints(a, N);
  t->wanted = take_ints(a, N);
  t->target = take_ints(a, N);
  t->iota = take_ints(a, longest + 1);
  t->group_most = group_chunks(d, N, longest, threads);
  t->stores = take(a, sizeof(piece_store) * (size_t)t->group_most);
  for (int i = 0; i < t->group_most; i++) {
    piece_store counted;
    prepare_piece(a->base ? &t->stores[i] : &counted, a, d, chunk_rows(d, longest), longest);
  }
  return a->used;
}

EXPORT(capture_work_bytes)
double capture_work_bytes(const description *d, int N, int S, int longest, int threads) {
  capture t;
  weights w;
  arena a = {NULL, 0};
  return (double)prepare(&t, &w, d, NULL, &a, N, S, longest, threads, NULL);
}

static int wants_streaming(const capture *t, const description *d, int N, ptrdiff_t patterns) {
  ptrdiff_t numbers = 0;
  for (int i = 0; i < activation_count(d); i++) {
    if (!t->results[i]) continue;
    const int kind = (i - FIRST_BLOCK) % BLOCK_ACTIVATIONS;
    const int in_block = i >= FIRST_BLOCK && i < FIRST_BLOCK + d->L * BLOCK_ACTIVATIONS;
    numbers += in_block && (kind == SCORES || kind == PATTERN)       ? patterns
               : in_block && (kind == MLP_PRE || kind == MLP_POST) ? (ptrdiff_t)N * d->M
                                                                   : (ptrdiff_t)N * d->C;
  }
  return numbers * (ptrdiff_t)sizeof(real_t) > STREAM_FROM_BYTES;
}

/* results: for each activation, in the order of activationNames(), the address where it goes as the engine hands it out
 * (rows without padding, scores and patterns [NH, T, T] sequence after sequence), or 0. logits [targets, V]
 * and losses [targets] are written. `first`: pack the weights, at the beginning of `work`; 0: an
 * earlier call has. */
EXPORT(capture_batch)
void capture_batch(pool *threads, const description *d, const real_t *parameters, void *work, const int32_t *tokens,
                   const int32_t *targets, const int32_t *offsets, int N, int S, int longest, const double *results,
                   real_t *logits, real_t *losses, int first) {
  capture t;
  weights w;
  arena a = {work, 0};
  prepare(&t, &w, d, parameters, &a, N, S, longest, parallel_threads(threads), first ? WHOLE : NULL);
  t.w = &w;
  t.N = N;
  t.tokens = tokens;
  t.offsets = offsets;
  t.results = results;
  t.logits = logits;
  t.losses = losses;
  for (int i = 0; i <= longest; i++) t.iota[i] = i;
  cut_into_pieces(&t, d, targets, S, longest);
  ptrdiff_t patterns = 0;
  for (int s = 0; s < S; s++) patterns += pattern_numbers(d, offsets[s + 1] - offsets[s]);
  t.streamed = wants_streaming(&t, d, N, patterns);
  for (t.group_at = 0; t.group_at < t.n_pieces; t.group_at += t.group_most) {
    const int left = t.n_pieces - t.group_at;
    parallel_run(threads, piece_task, &t, left < t.group_most ? left : t.group_most);
  }
}
