/* The tiles of gemm.c where vectors have four numbers: 4 x 8, 8 of 16 registers of simd128.
 *
 * V8 compiles function by function, keeps in registers what a small function uses, and has no addresses of three parts: so
 * every kind of product has a function of its own, in which a row of A is one pointer that goes along k and every load has
 * a constant offset. */
#ifndef SUMLENS_GEMM4_H
#define SUMLENS_GEMM4_H
#include "gemm.h"
#include "vec.h"

#define TILE_ROWS 4
#define TILE_VECTORS (LANES / VL)
#define NOINLINE static __attribute__((noinline))

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

/* LLVM must not derive a pointer from another, nor mix two steps over k: either takes registers that are not there. Not
 * volatile, which would keep loads from moving past it. */
#ifdef __wasm__
#define AS_WRITTEN(value) __asm__("" : "+r"(value))
#else
#define AS_WRITTEN(value) (void)(value)
#endif

typedef enum {
  LINEAR,  /* A along k, B packed, all of k for every row: layers           */
  ALONG_K, /* A along k: products of attention with rows of k, v, and q     */
  ACROSS_K /* A across k: gradients of weights, of k and of v               */
} product_kind;

/* acc += one k: A at a[r][at] or, across k, at a[0][r] */
ALWAYS_INLINE void step(const int mr, const product_kind kind, vf acc[TILE_ROWS][TILE_VECTORS],
                        const real_t *a[TILE_ROWS], const int at, const real_t *b) {
  vf bk[TILE_VECTORS];
  UNROLL for (int v = 0; v < TILE_VECTORS; v++) bk[v] = v_load(b + v * VL);
  UNROLL for (int r = 0; r < mr; r++) {
    const vf ar = v_splat(kind == ACROSS_K ? a[0] + r : a[r] + at);
    UNROLL for (int v = 0; v < TILE_VECTORS; v++) acc[r][v] = v_fma(ar, bk[v], acc[r][v]);
  }
}

/* Rows i .. i + mr - 1, the panel at column j; `partial`: it has columns that C does not have. All but g, i, j, and mode in
 * the functions of rests, are constants after inlining. */
ALWAYS_INLINE void tile(const int mr, const product_kind kind, const gemm_mode mode, const int partial,
                        const gemm_t *RESTRICT g, int i, int j) {
  static const real_t no_bias[LANES];
  vf acc[TILE_ROWS][TILE_VECTORS];
  real_t *c[TILE_ROWS];
  const int columns = g->n - j;
  c[0] = g->c + i * g->c_row + j;
  UNROLL for (int r = 1; r < mr; r++) c[r] = c[r - 1] + g->c_row;
#define EACH_VECTOR                      \
  UNROLL for (int r = 0; r < mr; r++)    \
    UNROLL for (int v = 0; v < TILE_VECTORS; v++)
#define OLD_C (partial ? v_load_first(c[r] + v * VL, columns - v * VL) : v_load(c[r] + v * VL))
  if (mode == GEMM_ACCUMULATE) {
    EACH_VECTOR acc[r][v] = OLD_C;
  } else {
    const real_t *bias = g->bias ? g->bias + j : no_bias;
    EACH_VECTOR acc[r][v] = v_load(bias + v * VL);
  }

  const int first = kind != LINEAR && g->k_first ? g->k_first[i] : 0;
  int left = (kind != LINEAR && g->k_last ? g->k_last[i + mr - 1] : g->k) - first;
  const ptrdiff_t a_k = g->a_k, b_k = kind == LINEAR ? LANES : g->b_k;
  const real_t *a[TILE_ROWS], *b = g->b + (j / LANES) * g->b_panel + first * b_k;
  UNROLL for (int r = 0; r < (kind == ACROSS_K ? 1 : mr); r++) {
    a[r] = g->a + (i + r) * g->a_row + first * a_k;
    AS_WRITTEN(a[r]);
  }
  for (; left >= 2; left -= 2) {
    step(mr, kind, acc, a, 0, b);
    EACH_VECTOR AS_WRITTEN(acc[r][v]);
    b += b_k;
    if (kind != LINEAR) AS_WRITTEN(b);
    if (kind == ACROSS_K) {
      a[0] += a_k;
      AS_WRITTEN(a[0]);
    }
    step(mr, kind, acc, a, 1, b);
    b += b_k;
    AS_WRITTEN(b);
    UNROLL for (int r = 0; r < (kind == ACROSS_K ? 1 : mr); r++) {
      a[r] += kind == ACROSS_K ? a_k : 2;
      AS_WRITTEN(a[r]);
    }
  }
  if (left > 0) step(mr, kind, acc, a, 0, b);

#define TO_C(result)                                                          \
  EACH_VECTOR {                                                               \
    const vf x = (result);                                                    \
    if (partial) v_store_first(c[r] + v * VL, x, columns - v * VL);           \
    else v_store(c[r] + v * VL, x);                                           \
  }
  if (mode == GEMM_ADD) {
    TO_C(v_add(OLD_C, acc[r][v]))
  } else if (mode == GEMM_MULTIPLY) {
    TO_C(v_mul(OLD_C, acc[r][v]))
  } else {
    TO_C(acc[r][v])
  }
}

/* Whole tiles of a full panel, for the products of training; each returns the rows done. */
#define TILES(name, kind, mode)                                                                        \
  NOINLINE int name(const gemm_t *RESTRICT g, int j) {                                                 \
    int i = 0;                                                                                         \
    for (; i + TILE_ROWS <= g->m; i += TILE_ROWS) tile(TILE_ROWS, kind, mode, 0, g, i, j);             \
    return i;                                                                                          \
  }
TILES(linear_store, LINEAR, GEMM_STORE)
TILES(linear_accumulate, LINEAR, GEMM_ACCUMULATE)
TILES(linear_add, LINEAR, GEMM_ADD)
TILES(linear_multiply, LINEAR, GEMM_MULTIPLY)
TILES(along_store, ALONG_K, GEMM_STORE)
TILES(across_store, ACROSS_K, GEMM_STORE)
TILES(across_accumulate, ACROSS_K, GEMM_ACCUMULATE)

static int whole_tiles(const gemm_t *g, int j) {
  const int along_k = g->a_k == 1;
  if (along_k && g->b_k == LANES && !g->k_first && !g->k_last) {
    switch (g->mode) {
      case GEMM_STORE: return linear_store(g, j);
      case GEMM_ACCUMULATE: return linear_accumulate(g, j);
      case GEMM_ADD: return linear_add(g, j);
      case GEMM_MULTIPLY: return linear_multiply(g, j);
    }
  }
  if (g->mode == GEMM_STORE) return along_k ? along_store(g, j) : across_store(g, j);
  return g->mode == GEMM_ACCUMULATE && !along_k ? across_accumulate(g, j) : 0;
}

/* One tile of any product. */
#define ANY_TILE(mr)                                                        \
  NOINLINE void any_tile_##mr(const gemm_t *RESTRICT g, int i, int j) {     \
    const int partial = !g->c_padded && g->n - j < LANES;                   \
    if (g->a_k == 1) {                                                      \
      if (partial) tile(mr, ALONG_K, g->mode, 1, g, i, j);                  \
      else tile(mr, ALONG_K, g->mode, 0, g, i, j);                          \
    } else {                                                                \
      if (partial) tile(mr, ACROSS_K, g->mode, 1, g, i, j);                 \
      else tile(mr, ACROSS_K, g->mode, 0, g, i, j);                         \
    }                                                                       \
  }
ANY_TILE(1)
ANY_TILE(2)
ANY_TILE(3)
ANY_TILE(4)

static void all_columns(const gemm_t *g) {
  for (int j = 0; j < padded(g->n); j += LANES) {
    int i = g->c_padded || g->n - j >= LANES ? whole_tiles(g, j) : 0;
    for (; i + TILE_ROWS <= g->m; i += TILE_ROWS) any_tile_4(g, i, j);
    switch (g->m - i) {
      case 1: any_tile_1(g, i, j); break;
      case 2: any_tile_2(g, i, j); break;
      case 3: any_tile_3(g, i, j); break;
      default: break;
    }
  }
}
#endif
