/* Cutting a ragged batch into chunks that stay in cache. */
#include "model.h"

int chunk_rows(const description *d, int longest) {
  /* padded to 8 whatever the vectors are: the order in which an embedding's gradients are added depends on it */
  const int per_row = (22 * ((d->C + 7) / 8) + 2 * ((d->M + 7) / 8)) * 8 * d->L;
  int rows = 128 * 1024 / per_row;
  if (rows < 128) rows = 128;
  if (rows > 384) rows = 384;
  return rows > longest ? rows : longest;
}

int group_chunks(const description *d, int N, int longest, int threads) {
  if (threads == 1) return 1;
  /* two neighbouring chunks have more rows together than one may have */
  const int most = 2 * (N / chunk_rows(d, longest)) + 2;
  return most < 4 * threads ? most : 4 * threads;
}

/* rows of a sequence up to its last target, and how many of them have one */
static int rows_to_last_target(const int32_t *targets, int T, int *wanted) {
  while (T > 0 && targets[T - 1] < 0) T--;
  *wanted = 0;
  for (int t = 0; t < T; t++) *wanted += targets[t] >= 0;
  return T;
}

/* Multiplications of a sequence in linear maps, in units of C^2: what shards are balanced by. */
static int64_t work_of(const description *d, const int32_t *targets, int T) {
  int wanted;
  const int64_t rows = rows_to_last_target(targets, T, &wanted);
  return rows * (12 * (d->L - 1) + 2) + (int64_t)wanted * 10;
}

void make_plan(plan *p, arena *a, const description *d, const int32_t *tokens, const int32_t *targets,
               const int32_t *offsets, int N, int S, int longest) {
  const int most = chunk_rows(d, longest);
  p->chunks = take(a, sizeof(chunk) * (size_t)S);
  int32_t *token = take_ints(a, N), *position = take_ints(a, N), *last = take_ints(a, N), *first = take_ints(a, N);
  int32_t *source = take_ints(a, N);
  int32_t *row = take_ints(a, N), *q_position = take_ints(a, N), *q_last = take_ints(a, N), *target = take_ints(a, N);
  int32_t *start = take_ints(a, 2 * S), *q_start = take_ints(a, 2 * S);
  p->n_chunks = p->n_targets = 0;
  if (!a->base) return;

  int64_t work = 0, done = 0;
  for (int s = 0; s < S; s++) work += work_of(d, targets + offsets[s], offsets[s + 1] - offsets[s]);

  chunk *c = NULL;
  int total = 0; /* rows so far */
  int shard = 0;
  p->shard[0] = 0;
  for (int s = 0; s < S; s++) {
    int n_wanted;
    const int T = rows_to_last_target(targets + offsets[s], offsets[s + 1] - offsets[s], &n_wanted);
    if (T == 0) continue;
    /* the shard that the middle of the sequence's work falls into */
    const int64_t own = work_of(d, targets + offsets[s], T);
    const int its_shard = (int)((2 * done + own - 1) * SHARDS / (2 * work));
    done += own;
    const int begins_shard = its_shard > shard;
    for (; shard < its_shard; shard++) p->shard[shard + 1] = p->n_chunks;
    if (c == NULL || begins_shard || c->n + T > most) {
      if (c) {
        start += c->S + 1;
        q_start += c->S + 1;
      }
      c = &p->chunks[p->n_chunks++];
      c->n = c->S = c->wanted.n = 0;
      c->token = token + total;
      c->source = source + total;
      c->all.row = NULL;
      c->all.position = c->all.first = position + total;
      c->all.last = last + total;
      c->all.start = start;
      c->wanted.row = row + p->n_targets;
      c->wanted.position = q_position + p->n_targets;
      c->wanted.last = q_last + p->n_targets;
      c->wanted.first = first + total;
      c->wanted.start = q_start;
      c->target = target + p->n_targets;
      c->loss_at = p->n_targets;
      start[0] = q_start[0] = 0;
    }
    int in_sequence = 0;
    for (int t = 0; t < T; t++, total++) {
      token[total] = tokens[offsets[s] + t];
      source[total] = offsets[s] + t;
      position[total] = t;
      last[total] = t + 1;
      first[total] = in_sequence;
      if (targets[offsets[s] + t] >= 0) {
        row[p->n_targets] = c->n + t;
        q_position[p->n_targets] = t;
        q_last[p->n_targets] = t + 1;
        target[p->n_targets] = targets[offsets[s] + t];
        p->n_targets++;
        in_sequence++;
      }
    }
    c->n += T;
    c->S++;
    c->all.n = c->n;
    c->wanted.n = p->n_targets - c->loss_at;
    start[c->S] = c->n;
    q_start[c->S] = c->wanted.n;
  }
  for (; shard < SHARDS; shard++) p->shard[shard + 1] = p->n_chunks;
}
