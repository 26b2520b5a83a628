/* Register-tiled matrix product. A tile is up to TILE_ROWS rows by 1 or 2 panels of LANES columns and stays in registers over all of k. */
#include "gemm.h"
#include "vec.h"

#if VL == 4
#include "gemm4.h"
#else
#define PANEL_VECTORS (LANES / VL)

/* Tiles that fit the registers: 12 x 32 in AVX-512 (24 of 32), 6 x 16 in AVX2 (12 of 16). */
#define WIDE_PANELS 2
#if VL == 16
#define TILE_ROWS 12
#else
#define TILE_ROWS 6
#endif
#define MOST_VECTORS (WIDE_PANELS * PANEL_VECTORS)

/* loops over the registers of a tile: unrolled whatever the compiler's own measure says, or they live in memory */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* Rows of a tile are reached from every third: base, base + row and base + 2 row are addresses of one instruction. Pointers
 * that the compiler takes for unrelated keep it from giving each row a register of its own, for which there are too few. */
#define ROW_BASES ((TILE_ROWS + 2) / 3)
#define UNRELATED(pointer) __asm__("" : "+r"(pointer))
#define ROW(bases, r, row) ((bases)[(r) / 3] + ((r) % 3) * (row))

/* C of a tile: whole vectors, or with `masked` the first `columns` numbers of each row */
ALWAYS_INLINE vf c_load(const int masked, const real_t *c, int left) {
  return masked ? v_load_first(c, left) : v_load(c);
}
ALWAYS_INLINE void c_store(const int masked, const int mr, const int nv, vf acc[TILE_ROWS][MOST_VECTORS], real_t **c,
                           ptrdiff_t c_row, int columns, gemm_mode mode) {
#define EACH_VECTOR_OF_C(result)                                        \
  UNROLL for (int r = 0; r < mr; r++)                                  \
    UNROLL for (int v = 0; v < nv; v++) {                              \
      real_t *to = ROW(c, r, c_row) + v * VL;                          \
      const vf x = (result);                                           \
      if (masked) v_store_first(to, x, columns - v * VL);              \
      else v_store(to, x);                                             \
    }
  if (mode == GEMM_ADD) {
    EACH_VECTOR_OF_C(v_add(c_load(masked, to, columns - v * VL), acc[r][v]))
  } else if (mode == GEMM_MULTIPLY) {
    EACH_VECTOR_OF_C(v_mul(c_load(masked, to, columns - v * VL), acc[r][v]))
  } else {
    EACH_VECTOR_OF_C(acc[r][v])
  }
}

/* Rows i .. i + mr - 1, panels j / LANES .. j / LANES + np - 1. mr, np and along_k are constants after inlining. */
ALWAYS_INLINE void tile(const int mr, const int np, const int along_k, const gemm_t *RESTRICT g, int i, int j) {
  const int nv = np * PANEL_VECTORS;
  vf acc[TILE_ROWS][MOST_VECTORS];
  const int first = g->k_first ? g->k_first[i] : 0;
  const int last = g->k_last ? g->k_last[i + mr - 1] : g->k;
  const ptrdiff_t a_row = along_k ? g->a_row : 1, a_k = along_k ? 1 : g->a_k;
  const ptrdiff_t b_k = g->b_k, b_panel = g->b_panel, c_row = g->c_row;
  const gemm_mode mode = g->mode;
  const int columns = g->n - j;
  const int partial = !g->c_padded && columns < np * LANES;
  real_t *c[ROW_BASES];
  UNROLL for (int q = 0; 3 * q < mr; q++) {
    c[q] = g->c + (i + 3 * q) * c_row + j;
    UNRELATED(c[q]);
  }
  /* C is read after a long loop, or before it: asked for now, and for the next tile */
  if (mode != GEMM_STORE && last - first >= 64) {
    const ptrdiff_t soon = mode == GEMM_ACCUMULATE ? mr * c_row : 0;
    UNROLL for (int r = 0; r < mr; r++)
      UNROLL for (int v = 0; v < nv; v += 16 / VL) __builtin_prefetch(ROW(c, r, c_row) + soon + v * VL, 1);
  }

  if (mode == GEMM_ACCUMULATE) {
    if (partial) {
      UNROLL for (int r = 0; r < mr; r++)
        UNROLL for (int v = 0; v < nv; v++) acc[r][v] = c_load(1, ROW(c, r, c_row) + v * VL, columns - v * VL);
    } else {
      UNROLL for (int r = 0; r < mr; r++)
        UNROLL for (int v = 0; v < nv; v++) acc[r][v] = c_load(0, ROW(c, r, c_row) + v * VL, 0);
    }
  } else {
    UNROLL for (int v = 0; v < nv; v++) {
      const vf start = g->bias ? v_load(g->bias + j + v * VL) : v_set(0);
      UNROLL for (int r = 0; r < mr; r++) acc[r][v] = start;
    }
  }

  const real_t *a[ROW_BASES];
  UNROLL for (int q = 0; 3 * q < mr; q++) {
    a[q] = g->a + (i + 3 * q) * a_row + first * a_k;
    if (along_k) UNRELATED(a[q]);
  }
  const real_t *b = g->b + (j / LANES) * b_panel + first * b_k;
  for (int k = first; k < last; k++) {
    vf bk[MOST_VECTORS];
    UNROLL for (int v = 0; v < nv; v++)
      bk[v] = v_load(b + (v / PANEL_VECTORS) * b_panel + (v % PANEL_VECTORS) * VL);
    UNROLL for (int r = 0; r < mr; r++) {
      const vf ar = v_splat(ROW(a, r, a_row));
      UNROLL for (int v = 0; v < nv; v++) acc[r][v] = v_fma(ar, bk[v], acc[r][v]);
    }
    UNROLL for (int q = 0; 3 * q < mr; q++) a[q] += a_k;
    b += b_k;
  }

  if (partial) c_store(1, mr, nv, acc, c, c_row, columns, mode);
  else c_store(0, mr, nv, acc, c, c_row, columns, mode);
}

/* `rows` rows, at most as many as a tile may have */
ALWAYS_INLINE void tile_of(const int np, const int along_k, const gemm_t *RESTRICT g, int rows, int i, int j) {
#define TILE_CASE(mr) \
  case mr: tile(mr, np, along_k, g, i, j); break;
  switch (rows) {
    TILE_CASE(1) TILE_CASE(2) TILE_CASE(3) TILE_CASE(4) TILE_CASE(5) TILE_CASE(6)
#if TILE_ROWS > 6
    TILE_CASE(7) TILE_CASE(8) TILE_CASE(9) TILE_CASE(10) TILE_CASE(11) TILE_CASE(12)
#endif
    default: break;
  }
}

/* Tall tiles: the last two share what is left, as a flat one waits for its own sums. With low ones the few rows less of the
 * last but one cost more than that. */
#define SHARED_REST (VL == 16)

/* All rows of one column block. */
ALWAYS_INLINE void block(const int np, const int along_k, const gemm_t *RESTRICT g, int j) {
  int i = 0;
  for (; i + (SHARED_REST ? 2 : 1) * TILE_ROWS <= g->m; i += TILE_ROWS) tile(TILE_ROWS, np, along_k, g, i, j);
  const int left = g->m - i;
  if (left > TILE_ROWS) {
    tile_of(np, along_k, g, (left + 1) / 2, i, j);
    i += (left + 1) / 2;
  }
  tile_of(np, along_k, g, g->m - i, i, j);
}

static __attribute__((noinline)) void wide_along_k(const gemm_t *g, int j) { block(WIDE_PANELS, 1, g, j); }
static __attribute__((noinline)) void wide_across_k(const gemm_t *g, int j) { block(WIDE_PANELS, 0, g, j); }
static __attribute__((noinline)) void narrow_along_k(const gemm_t *g, int j) { block(1, 1, g, j); }
static __attribute__((noinline)) void narrow_across_k(const gemm_t *g, int j) { block(1, 0, g, j); }

static void all_columns(const gemm_t *g) {
  const int along_k = g->a_k == 1;
  const int n = padded(g->n);
  int j = 0;
  for (; j + WIDE_PANELS * LANES <= n; j += WIDE_PANELS * LANES) {
    if (along_k) wide_along_k(g, j);
    else wide_across_k(g, j);
  }
  if (j < n) {
    if (along_k) narrow_along_k(g, j);
    else narrow_across_k(g, j);
  }
}
#endif

/* Rows of A that go over all columns together: with k up to MOST_BLOCK_K they stay in a first cache of 32 KB, and a sum
 * over more than that many numbers is long enough to fetch them again. A multiple of every tile. */
#define BLOCK_ROWS 48
#define MOST_BLOCK_K 128

void gemm(const gemm_t *g) {
  const int in_blocks = g->m > BLOCK_ROWS + BLOCK_ROWS / 2 && !g->k_first && !g->k_last;
  if (!in_blocks || (g->a_k == 1 && g->k > MOST_BLOCK_K)) {
    all_columns(g);
    return;
  }
  gemm_t part = *g;
  for (int i = 0; i < g->m; i += BLOCK_ROWS) {
    part.m = g->m - i < BLOCK_ROWS ? g->m - i : BLOCK_ROWS;
    part.a = g->a + i * g->a_row;
    part.c = g->c + i * g->c_row;
    all_columns(&part);
  }
}

void pack_transposed(real_t *RESTRICT packed, const real_t *RESTRICT w, int n, int k) {
  for (int j = 0; j < n; j += LANES)
    for (int half = 0; half < LANES; half += VL) {
      const real_t *from = w + (ptrdiff_t)(j + half) * k;
      real_t *to = packed + (ptrdiff_t)j * k + half;
      const int rows = n - j - half;
      int x = 0;
      for (; rows >= VL && x + VL <= k; x += VL) {
        vf square[VL];
        for (int r = 0; r < VL; r++) square[r] = v_load(from + (ptrdiff_t)r * k + x);
        v_transpose(square);
        for (int r = 0; r < VL; r++) v_store(to + (ptrdiff_t)(x + r) * LANES, square[r]);
      }
      for (; x < k; x++)
        for (int r = 0; r < VL; r++) to[(ptrdiff_t)x * LANES + r] = r < rows ? from[(ptrdiff_t)r * k + x] : 0;
    }
}

void pack_rows(real_t *RESTRICT packed, const real_t *RESTRICT w, int k, int n, ptrdiff_t row) {
  for (int j = 0; j < n; j += LANES) {
    real_t *to = packed + (ptrdiff_t)j * k;
    const int count = n - j < LANES ? n - j : LANES;
    for (int x = 0; x < k; x++) {
      for (int r = 0; r < LANES; r++) to[r] = r < count ? w[x * row + j + r] : 0;
      to += LANES;
    }
  }
}
