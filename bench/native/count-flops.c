/* Counts what one training step asks of the matrix product: 2 m n k, with the limits of k that attention gives. The
 * kernels are compiled with -Dgemm=counted_gemm, gemm.c without; a kernel that multiplies without gemm() is not seen.
 *
 *   count-flops <description.i32> <parameters.f32> <batch.i32>     batch: S, N, longest, offsets, tokens, targets */
#include "../../src/engine/kernels/drivers.h"
#include "../../src/engine/kernels/gemm.h"
#include "files.h"
#include <string.h>

static double flops;

void counted_gemm(const gemm_t *g) {
  for (int i = 0; i < g->m; i++) {
    const int last = g->k_last ? g->k_last[i] : g->k, first = g->k_first ? g->k_first[i] : 0;
    flops += 2.0 * g->n * (last - first);
  }
  gemm(g);
}

int main(int count, char **argument) {
  if (count != 4) return 2;
  const description *d = read_file(argument[1]);
  const real_t *parameters = read_file(argument[2]);
  const int32_t *batch = read_file(argument[3]);
  const int S = batch[0], N = batch[1], longest = batch[2];
  const int32_t *offsets = batch + 3, *tokens = offsets + S + 1, *targets = tokens + N;
  const size_t section = sizeof(real_t) * (size_t)d->arena_size;
  real_t *state = aligned_alloc(64, 4 * section + 64);
  void *work = aligned_alloc(64, ((size_t)train_work_bytes(d, N, S, longest, 1) + 63) / 64 * 64);
  real_t *losses = calloc((size_t)N + 16, sizeof(real_t));
  if (!state || !work || !losses) return 1;
  memset(state, 0, 4 * section + 64);
  memcpy(state, parameters, section);
  train_gradients(NULL, d, state, work, tokens, targets, offsets, N, S, longest, losses);
  printf("%.0f\n", flops);
  return 0;
}
