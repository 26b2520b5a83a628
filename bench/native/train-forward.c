/* The forward half of a training step by itself: what the analysis driver is compared with. It calls the steps that
 * train.c calls, in its order, and leaves out the backward ones.
 *
 *   train-forward <description.i32> <parameters.f32> <batch.i32>     batch: S, N, longest, offsets, tokens, targets
 *
 * One line in: how often to do it. One JSON answer out. The first answers the mean loss. */
#include "../../src/engine/kernels/train.c"
#include "files.h"
#include <string.h>

int main(int count, char **argument) {
  if (count != 4) return 2;
  const description *d = read_file(argument[1]);
  const real_t *parameters = read_file(argument[2]);
  const int32_t *batch = read_file(argument[3]);
  const int S = batch[0], N = batch[1], longest = batch[2];
  const int32_t *offsets = batch + 3, *tokens = offsets + S + 1, *targets = tokens + N;
  const size_t bytes = (size_t)train_work_bytes(d, N, S, longest, 1);
  void *work = aligned_alloc(64, (bytes + 63) / 64 * 64);
  real_t *losses = calloc((size_t)N + 16, sizeof(real_t));
  if (!work || !losses) return 1;
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    const char *at = strstr(line, "\"turns\":");
    const int turns = at ? atoi(at + 8) : 1;
    const double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_THREAD_CPUTIME_ID);
    int n_targets = 1;
    for (int turn = 0; turn < turns; turn++) {
      training t;
      weights w;
      arena a = {work, 0};
      prepare_weights(&w, d, parameters, &a, 1, WHOLE);
      a.used = 0;
      prepare(&t, &w, d, parameters, &a, tokens, targets, offsets, N, S, longest, 1, 1);
      n_targets = t.p.n_targets;
      for (int i = 0; i < t.p.n_chunks; i++) {
        const chunk *c = &t.p.chunks[i];
        chunk_store *s = &t.stores[0];
        chunk_forward(&w, c, s, 1, NULL, NULL);
        unembed(&w, s->logits, padded(d->V), s->hf, c->wanted.n);
        cross_entropy(losses + c->loss_at, s->logits, s->logits, padded(d->V), c->target, c->wanted.n, d->V, 1, NULL);
      }
    }
    printf("{\"wallMs\":%.6f,\"cpuMs\":%.6f,\"lossNats\":%.9g}\n", now(CLOCK_MONOTONIC) - wall,
           now(CLOCK_THREAD_CPUTIME_ID) - cpu, sum_in_order(losses, n_targets) / n_targets);
    fflush(stdout);
  }
  return 0;
}
