/* The number type and the few definitions that every kernel shares. No arithmetic.
 *
 * Shape letters, the same in every file: N rows (tokens), S sequences, T positions of one sequence, C residual width,
 * M feed-forward width, V vocabulary, NH heads, HS = C / NH, L block applications. */
#ifndef SUMLENS_REAL_H
#define SUMLENS_REAL_H
#include "names.h"
#include <stddef.h>
#include <stdint.h>

#ifndef REAL
#define REAL float
#define REAL_IS_FLOAT 1
#endif
typedef REAL real_t;

/* Activation rows are padded to whole groups of LANES numbers: a vector where vectors have 16, else 8. No number depends
 * on it. */
#if defined(REAL_IS_FLOAT) && defined(__AVX512F__)
#define LANES 16
#else
#define LANES 8
#endif
static inline int padded(int n) { return (n + LANES - 1) / LANES * LANES; }
/* Numbers from one activation row to the next. A multiple of 256 bytes would put the same column of all rows into few
 * sets of the cache, and a product over rows would evict what it is about to read. */
static inline int row_stride(int n) { return padded(n) % 64 ? padded(n) : padded(n) + 16; }

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define RESTRICT __restrict__

#ifdef __wasm__
#define EXPORT(name) __attribute__((export_name(#name)))
#else
#define EXPORT(name)
#endif

static inline void copy_reals(real_t *RESTRICT to, const real_t *RESTRICT from, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) to[i] = from[i];
}
static inline void zero_reals(real_t *to, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) to[i] = 0;
}
#endif
