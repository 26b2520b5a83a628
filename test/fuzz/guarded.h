/* Read before every source of the kernels in the guarded build of the fuzzer: 64 bytes after each piece of the work area
 * that no write may touch. The address sanitizer reports one with the line that made it. Reads are not looked at
 * (asan-instrument-reads=0): whole panels are read past the last row by design, and what is read there must not matter,
 * which the paint of the arenas shows. */
#ifndef SUMLENS_GUARDED_H
#define SUMLENS_GUARDED_H
#define take take_unguarded
#define take_reals take_reals_unguarded
#define take_ints take_ints_unguarded
#include "../../src/engine/kernels/model.h"
#undef take
#undef take_reals
#undef take_ints
#include <sanitizer/asan_interface.h>
#include <stdlib.h>

#define GUARD_BYTES 64
static inline void *take(arena *a, uint64_t bytes) {
  char *at = take_unguarded(a, bytes);
  char *end = a->base ? a->base + a->used : NULL;
  a->used += GUARD_BYTES;
  if (a->base == NULL) return NULL;
  __asan_unpoison_memory_region(at, (size_t)(end - at));
  __asan_poison_memory_region(end, GUARD_BYTES);
  if (getenv("SUMLENS_PLANT_OVERFLOW")) *(volatile char *)end = 1; /* a fault, to see that it is found */
  return at;
}
static inline real_t *take_reals(arena *a, uint64_t n) { return take(a, n * sizeof(real_t)); }
static inline int32_t *take_ints(arena *a, uint64_t n) { return take(a, n * sizeof(int32_t)); }
#endif
