/* The training and inference drivers with pools of threads, in a program without Node: built with the thread sanitizer, and
 * with the address sanitizer, whose leak check runs at exit. Arguments: files of one case each, written by
 * sanitizers.test.ts: int32 counts [d, parameters, N, S, longest, targets], then description, offsets, tokens, targets
 * (int32), then parameters (float32). Prints the sum of the losses, which must not depend on the threads. */
#include "../../../src/engine/kernels/drivers.h"
#include "../../../src/engine/native/pool.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *read_items(FILE *file, size_t n, size_t size) {
  /* exactly as long as promised to the kernels, so that the first byte past it is found; 64-byte aligned */
  void *at = NULL;
  if (posix_memalign(&at, 64, n * size) != 0 || fread(at, size, n, file) != n) abort();
  return at;
}

static void *allocate(size_t bytes) {
  void *at = NULL;
  if (posix_memalign(&at, 64, bytes) != 0) abort();
  memset(at, 0, bytes);
  return at;
}

static double run_case(const char *path, int n_threads) {
  FILE *file = fopen(path, "rb");
  if (!file) abort();
  int32_t count[6];
  if (fread(count, sizeof *count, 6, file) != 6) abort();
  const int size = count[1], N = count[2], S = count[3], longest = count[4], n_targets = count[5];
  description *d = read_items(file, (size_t)count[0], 4);
  int32_t *offsets = read_items(file, (size_t)S + 1, 4);
  int32_t *tokens = read_items(file, (size_t)N, 4);
  int32_t *targets = read_items(file, (size_t)N, 4);
  real_t *parameters = read_items(file, (size_t)size, sizeof(real_t));
  fclose(file);

  pool *threads = n_threads > 1 ? pool_create(n_threads) : NULL;
  /* 64 bytes more: kernels read whole vectors past the last tensor */
  real_t *state = allocate(4 * (size_t)size * sizeof(real_t) + 64);
  memcpy(state, parameters, (size_t)size * sizeof(real_t));
  real_t *losses = allocate((size_t)n_targets * sizeof(real_t));
  real_t *logits = allocate(((size_t)n_targets * (size_t)d->V + 16) * sizeof(real_t));
  void *work = allocate((size_t)train_work_bytes(d, N, S, longest, n_threads));
  const adamw_options options = {3e-3, 0.9, 0.99, 1e-8, 0.1, 1};
  double sum = 0;
  for (int t = 1; t <= 6; t++) {
    step_result result = {0};
    if (!train_step(threads, d, state, work, tokens, targets, offsets, N, S, longest, losses, &options, t, &result)) abort();
    sum += result.loss_sum;
  }
  free(work);
  work = allocate((size_t)forward_work_bytes(d, N, S, longest, n_threads));
  sum += forward_batch(threads, d, state, work, tokens, targets, offsets, N, S, longest, logits, losses, NULL, 0, NULL);
  free(work);
  if (threads) pool_destroy(threads);
  free(logits);
  free(losses);
  free(state);
  free(parameters);
  free(targets);
  free(tokens);
  free(offsets);
  free(d);
  return sum;
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    const double alone = run_case(argv[i], 1);
    for (int n = 2; n <= 4; n++) {
      const double shared = run_case(argv[i], n);
      if (shared != alone) {
        fprintf(stderr, "case %d, %d threads: sum of losses %.17g, with one thread %.17g\n", i, n, shared, alone);
        return 1;
      }
    }
    printf("%.17g\n", alone);
  }
#ifdef PLANT_LEAK
  pool *forgotten = pool_create(1);
  printf("%d\n", forgotten != NULL);
  forgotten = NULL;
#endif
  return 0;
}
