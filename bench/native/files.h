/* Files that the small programs of the benchmarks read, and clocks. */
#ifndef SUMLENS_BENCH_FILES_H
#define SUMLENS_BENCH_FILES_H
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* 64-byte aligned; kernels read whole vectors past the end */
static inline void *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) exit(1);
  fseek(file, 0, SEEK_END);
  const size_t size = (size_t)ftell(file);
  rewind(file);
  char *to = aligned_alloc(64, (size + 127) / 64 * 64);
  if (!to || fread(to, 1, size, file) != size) exit(1);
  fclose(file);
  return to;
}

/* milliseconds */
static inline double now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}
#endif
