/* What one core can do at most: multiply-adds that never leave the registers, those of a matrix product whose numbers all
 * come from the first cache, and OpenBLAS sgemm of 1024 x 1024 matrices. One request a line: `fma256`, `fma512`, `tile256`,
 * `tile512` or `sgemm`, and how many milliseconds it should take; one JSON answer a line.
 * The library is opened at run time, so that this builds without it. */
#include "files.h"
#include <dlfcn.h>
#include <immintrin.h>
#include <link.h>
#include <string.h>

#define N 1024

/* 12 independent chains hide a latency of 4 cycles at two multiply-adds a cycle, and of 6 */
#define CHAINS 12
static volatile float sink;

#define FMA_LOOP(name, isa, vector, lanes, set1, fmadd, store)                                     \
  __attribute__((target(isa))) static double name(long turns) {                                   \
    vector acc[CHAINS];                                                                            \
    const vector a = set1(0.999999f), b = set1(1e-7f);                                             \
    _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) acc[i] = set1((float)i);             \
    for (long t = 0; t < turns; t++) {                                                             \
      _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) acc[i] = fmadd(acc[i], a, b);     \
      __asm__ volatile("" : "+v"(acc[0]));               \
    }                                                                                              \
    float out[lanes];                                                                              \
    _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) {                                    \
      store(out, acc[i]);                                                                          \
      sink = out[0];                                                                               \
    }                                                                                              \
    return 2.0 * lanes * CHAINS * (double)turns;                                                   \
  }

FMA_LOOP(fma256, "avx2,fma", __m256, 8, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_storeu_ps)
FMA_LOOP(fma512, "avx512f", __m512, 16, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_storeu_ps)

/* A tile of `rows` x 2 vectors of C in registers over K terms, as a matrix product has it: two vectors of B and `rows`
 * numbers of A are loaded for each, and nothing is written. A and B stay in the first cache. */
#define K 256
static float tile_a[12 * (K + 16)], tile_b[K * 32];

#define TILE_LOOP(name, isa, vector, lanes, rows, set1, fmadd, load, store)                                        \
  __attribute__((target(isa))) static double name(long turns) {                                                   \
    for (long t = 0; t < turns; t++) {                                                                             \
      vector acc[rows][2];                                                                                         \
      _Pragma("GCC unroll 12") for (int r = 0; r < rows; r++) acc[r][0] = acc[r][1] = set1(0);                     \
      const float *a[rows / 3], *b = tile_b;                                                                       \
      const long row = K + 16;                                                                                     \
      _Pragma("GCC unroll 12") for (int q = 0; q < rows / 3; q++) {                                                \
        a[q] = tile_a + 3 * q * row;                                                                               \
        __asm__ volatile("" : "+r"(a[q]));                                                                         \
      }                                                                                                            \
      for (int k = 0; k < K; k++, b += 2 * lanes) {                                                                \
        const vector b0 = load(b), b1 = load(b + lanes);                                                           \
        _Pragma("GCC unroll 12") for (int r = 0; r < rows; r++) {                                                  \
          const vector x = set1(a[r / 3][r % 3 * row]);                                                            \
          acc[r][0] = fmadd(x, b0, acc[r][0]);                                                                     \
          acc[r][1] = fmadd(x, b1, acc[r][1]);                                                                     \
        }                                                                                                          \
        _Pragma("GCC unroll 12") for (int q = 0; q < rows / 3; q++) a[q]++;                                        \
      }                                                                                                            \
      float out[lanes];                                                                                            \
      _Pragma("GCC unroll 12") for (int r = 0; r < rows; r++) {                                                    \
        store(out, acc[r][0]);                                                                                     \
        sink = out[0];                                                                                             \
        store(out, acc[r][1]);                                                                                     \
        sink = out[0];                                                                                             \
      }                                                                                                            \
    }                                                                                                              \
    return 2.0 * lanes * 2 * rows * K * (double)turns;                                                             \
  }

TILE_LOOP(tile256, "avx2,fma", __m256, 8, 6, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_storeu_ps)
TILE_LOOP(tile512, "avx512f", __m512, 16, 12, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_storeu_ps)

typedef void sgemm_t(const char *, const char *, const int *, const int *, const int *, const float *, const float *,
                     const int *, const float *, const int *, const float *, float *, const int *);
static sgemm_t *sgemm;
static float *matrices;

static double multiply(long turns) {
  const int n = N;
  const float one = 1, zero = 0;
  for (long t = 0; t < turns; t++)
    sgemm("N", "N", &n, &n, &n, &one, matrices, &n, matrices + N * N, &n, &zero, matrices + 2 * N * N, &n);
  sink = matrices[2 * N * N];
  return 2.0 * N * N * N * (double)turns;
}

/* Answers about the library: which file, which configuration and core it chose. */
static void about(void) {
  char *(*config)(void) = NULL, *(*core)(void) = NULL;
  struct link_map *map = NULL;
  void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library) {
    *(void **)&sgemm = dlsym(library, "sgemm_");
    *(void **)&config = dlsym(library, "openblas_get_config");
    *(void **)&core = dlsym(library, "openblas_get_corename");
    dlinfo(library, RTLD_DI_LINKMAP, &map);
  }
  printf("{\"sgemm\":%s,\"library\":\"%s\",\"config\":\"%s\",\"core\":\"%s\",\"avx512\":%s}\n", sgemm ? "true" : "false",
         map ? map->l_name : "", config ? config() : "", core ? core() : "",
         __builtin_cpu_supports("avx512f") ? "true" : "false");
}

static const struct {
  const char *name;
  double (*work)(long);
  long turns; /* to begin with */
} kinds[] = {
    {"fma256", fma256, 1000}, {"fma512", fma512, 1000}, {"tile256", tile256, 10}, {"tile512", tile512, 10}, {"sgemm", multiply, 1},
};
#define KINDS (int)(sizeof kinds / sizeof *kinds)

int main(void) {
  char line[256];
  double speed[KINDS] = {0}; /* turns a millisecond */
  matrices = malloc(sizeof(float) * 3 * N * N);
  for (int i = 0; i < 3 * N * N; i++) matrices[i] = (float)(i % 17) / 17 - 0.5f;
  while (fgets(line, sizeof line, stdin)) {
    int kind = -1;
    const char *of = strstr(line, "\"of\":\"");
    if (strstr(line, "\"about\"")) {
      about();
      fflush(stdout);
      continue;
    }
    for (int i = 0; of && i < KINDS; i++)
      if (strncmp(of + 6, kinds[i].name, strlen(kinds[i].name)) == 0) kind = i;
    const char *at = strstr(line, "\"ms\":");
    const double ms = at ? atof(at + 5) : 50;
    if (kind < 0 || (kinds[kind].work == multiply && !sgemm)) {
      printf("{\"error\":\"not available\"}\n");
      fflush(stdout);
      continue;
    }
    double (*work)(long) = kinds[kind].work;
    if (speed[kind] == 0) {
      long turns = kinds[kind].turns;
      work(turns);
      for (;; turns *= 2) {
        const double begin = now(CLOCK_THREAD_CPUTIME_ID);
        work(turns);
        const double took = now(CLOCK_THREAD_CPUTIME_ID) - begin;
        speed[kind] = (double)turns / took;
        if (took > 20) break;
      }
    }
    long turns = (long)(speed[kind] * ms);
    if (turns < 1) turns = 1;
    const double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_THREAD_CPUTIME_ID);
    const double flops = work(turns);
    printf("{\"wallMs\":%.6f,\"cpuMs\":%.6f,\"flops\":%.0f}\n", now(CLOCK_MONOTONIC) - wall,
           now(CLOCK_THREAD_CPUTIME_ID) - cpu, flops);
    fflush(stdout);
  }
  return 0;
}
