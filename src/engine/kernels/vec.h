/* Vectors of VL real_t: AVX-512 (16), AVX2 (8), WebAssembly simd128 (4), or compiler vectors (4) for the double build of
 * the tests.
 *
 * The one place where targets may differ in rounding is v_fma: fused on x86, multiply then add elsewhere. Cross-lane sums
 * always go over 16 virtual lanes (element j in lane j mod 16) and one fixed tree, whatever VL is. v_max and v_min return
 * the second operand when either is NaN, as the x86 instructions do. */
#ifndef SUMLENS_VEC_H
#define SUMLENS_VEC_H
#include "real.h"

#if defined(REAL_IS_FLOAT) && defined(__AVX512F__) && defined(__AVX512DQ__)
#include <immintrin.h>
#define VL 16
typedef __m512 vf;
ALWAYS_INLINE vf v_load(const real_t *p) { return _mm512_loadu_ps(p); }
ALWAYS_INLINE void v_store(real_t *p, vf x) { _mm512_storeu_ps(p, x); }
/* past the caches, by a thread that ends with a fence; p is a multiple of the vector's size */
ALWAYS_INLINE void v_stream(real_t *p, vf x) { _mm512_stream_ps(p, x); }
/* lanes n .. VL - 1 of a, then the first n of b, where n numbers are whole 16 bytes */
ALWAYS_INLINE vf v_join(vf a, vf b, int n) {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return _mm512_permutex2var_ps(a, _mm512_add_epi32(lane, _mm512_set1_epi32(n)), b);
}
ALWAYS_INLINE vf v_set(real_t x) { return _mm512_set1_ps(x); }
ALWAYS_INLINE vf v_splat(const real_t *p) { return _mm512_set1_ps(*p); }
ALWAYS_INLINE vf v_add(vf a, vf b) { return _mm512_add_ps(a, b); }
ALWAYS_INLINE vf v_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
ALWAYS_INLINE vf v_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
ALWAYS_INLINE vf v_div(vf a, vf b) { return _mm512_div_ps(a, b); }
ALWAYS_INLINE vf v_sqrt(vf a) { return _mm512_sqrt_ps(a); }
ALWAYS_INLINE vf v_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
ALWAYS_INLINE vf v_max(vf a, vf b) { return _mm512_max_ps(a, b); }
ALWAYS_INLINE vf v_min(vf a, vf b) { return _mm512_min_ps(a, b); }
ALWAYS_INLINE vf v_abs(vf a) { return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), a); }
/* a < b ? x : y, lane by lane; false when either is NaN */
ALWAYS_INLINE vf v_if_less(vf a, vf b, vf x, vf y) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), y, x);
}
ALWAYS_INLINE __mmask16 first_lanes(int n) { return n >= VL ? 0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1); }
/* the first n lanes of x, the others from y; n may be <= 0 or >= VL */
ALWAYS_INLINE vf v_first(vf x, int n, vf y) { return _mm512_mask_blend_ps(first_lanes(n), y, x); }
/* the first n numbers, zeros behind them; nothing else is read or written */
ALWAYS_INLINE vf v_load_first(const real_t *p, int n) { return _mm512_maskz_loadu_ps(first_lanes(n), p); }
ALWAYS_INLINE void v_store_first(real_t *p, vf x, int n) { _mm512_mask_storeu_ps(p, first_lanes(n), x); }
/* p * 2^n, where the low bits of t hold n (see v_exp) and both p and the result are normal */
ALWAYS_INLINE vf v_scale_exponent(vf p, vf t) {
  return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), _mm512_slli_epi32(_mm512_castps_si512(t), 23)));
}
ALWAYS_INLINE real_t v_greatest(vf x) {
  const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}
/* lane j of x[i] and lane i of x[j] change places */
ALWAYS_INLINE void v_transpose(vf x[16]) {
  vf a[16], b[16];
  for (int i = 0; i < 16; i += 2) {
    a[i] = _mm512_unpacklo_ps(x[i], x[i + 1]);
    a[i + 1] = _mm512_unpackhi_ps(x[i], x[i + 1]);
  }
  /* b[i + c]: column c of each group of four, of rows i to i + 3 */
  for (int i = 0; i < 16; i += 4)
    for (int r = 0; r < 2; r++) {
      b[i + 2 * r] = _mm512_shuffle_ps(a[i + r], a[i + 2 + r], 0x44);
      b[i + 2 * r + 1] = _mm512_shuffle_ps(a[i + r], a[i + 2 + r], 0xee);
    }
  for (int c = 0; c < 4; c++) {
    const vf low = _mm512_shuffle_f32x4(b[c], b[4 + c], 0x88), high = _mm512_shuffle_f32x4(b[8 + c], b[12 + c], 0x88);
    const vf low_odd = _mm512_shuffle_f32x4(b[c], b[4 + c], 0xdd);
    const vf high_odd = _mm512_shuffle_f32x4(b[8 + c], b[12 + c], 0xdd);
    x[c] = _mm512_shuffle_f32x4(low, high, 0x88);
    x[c + 8] = _mm512_shuffle_f32x4(low, high, 0xdd);
    x[c + 4] = _mm512_shuffle_f32x4(low_odd, high_odd, 0x88);
    x[c + 12] = _mm512_shuffle_f32x4(low_odd, high_odd, 0xdd);
  }
}
/* sum over the virtual lanes */
ALWAYS_INLINE real_t v_sum16(const vf a[1]) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(a[0]), _mm512_extractf32x8_ps(a[0], 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

#elif defined(REAL_IS_FLOAT) && defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#define VL 8
typedef __m256 vf;
ALWAYS_INLINE vf v_load(const real_t *p) { return _mm256_loadu_ps(p); }
ALWAYS_INLINE void v_store(real_t *p, vf x) { _mm256_storeu_ps(p, x); }
ALWAYS_INLINE void v_stream(real_t *p, vf x) { _mm256_stream_ps(p, x); }
ALWAYS_INLINE vf v_join(vf a, vf b, int n) { return n == 0 ? a : _mm256_permute2f128_ps(a, b, 0x21); }
ALWAYS_INLINE vf v_set(real_t x) { return _mm256_set1_ps(x); }
ALWAYS_INLINE vf v_splat(const real_t *p) { return _mm256_broadcast_ss(p); }
ALWAYS_INLINE vf v_add(vf a, vf b) { return _mm256_add_ps(a, b); }
ALWAYS_INLINE vf v_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
ALWAYS_INLINE vf v_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
ALWAYS_INLINE vf v_div(vf a, vf b) { return _mm256_div_ps(a, b); }
ALWAYS_INLINE vf v_sqrt(vf a) { return _mm256_sqrt_ps(a); }
ALWAYS_INLINE vf v_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
ALWAYS_INLINE vf v_max(vf a, vf b) { return _mm256_max_ps(a, b); }
ALWAYS_INLINE vf v_min(vf a, vf b) { return _mm256_min_ps(a, b); }
ALWAYS_INLINE vf v_abs(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
/* a < b ? x : y, lane by lane; false when either is NaN */
ALWAYS_INLINE vf v_if_less(vf a, vf b, vf x, vf y) {
  return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
ALWAYS_INLINE __m256i first_lanes(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
/* the first n lanes of x, the others from y; n may be <= 0 or >= VL */
ALWAYS_INLINE vf v_first(vf x, int n, vf y) { return _mm256_blendv_ps(y, x, _mm256_castsi256_ps(first_lanes(n))); }
/* the first n numbers, zeros behind them; nothing else is read or written */
ALWAYS_INLINE vf v_load_first(const real_t *p, int n) { return _mm256_maskload_ps(p, first_lanes(n)); }
ALWAYS_INLINE void v_store_first(real_t *p, vf x, int n) { _mm256_maskstore_ps(p, first_lanes(n), x); }
/* p * 2^n, where the low bits of t hold n (see v_exp) and both p and the result are normal */
ALWAYS_INLINE vf v_scale_exponent(vf p, vf t) {
  return _mm256_castsi256_ps(
      _mm256_add_epi32(_mm256_castps_si256(p), _mm256_slli_epi32(_mm256_castps_si256(t), 23)));
}
ALWAYS_INLINE real_t v_greatest(vf x) {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}
/* lane j of x[i] and lane i of x[j] change places */
ALWAYS_INLINE void v_transpose(vf x[8]) {
  vf a[8], b[8];
  for (int i = 0; i < 8; i += 2) {
    a[i] = _mm256_unpacklo_ps(x[i], x[i + 1]);
    a[i + 1] = _mm256_unpackhi_ps(x[i], x[i + 1]);
  }
  for (int i = 0; i < 8; i += 4)
    for (int r = 0; r < 2; r++) {
      b[i + 2 * r] = _mm256_shuffle_ps(a[i + r], a[i + 2 + r], 0x44);
      b[i + 2 * r + 1] = _mm256_shuffle_ps(a[i + r], a[i + 2 + r], 0xee);
    }
  for (int i = 0; i < 4; i++) {
    x[i] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x20);
    x[i + 4] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x31);
  }
}
/* sum over the virtual lanes of (low: lanes 0-7, high: lanes 8-15) */
ALWAYS_INLINE real_t v_sum16(const vf a[2]) {
  const __m256 eight = _mm256_add_ps(a[0], a[1]);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

#elif defined(REAL_IS_FLOAT) && defined(__wasm_simd128__)
#include <wasm_simd128.h>
#define VL 4
typedef v128_t vf;
ALWAYS_INLINE vf v_load(const real_t *p) { return wasm_v128_load(p); }
ALWAYS_INLINE void v_store(real_t *p, vf x) { wasm_v128_store(p, x); }
ALWAYS_INLINE vf v_set(real_t x) { return wasm_f32x4_splat(x); }
ALWAYS_INLINE vf v_splat(const real_t *p) { return wasm_v128_load32_splat(p); }
ALWAYS_INLINE vf v_add(vf a, vf b) { return wasm_f32x4_add(a, b); }
ALWAYS_INLINE vf v_sub(vf a, vf b) { return wasm_f32x4_sub(a, b); }
ALWAYS_INLINE vf v_mul(vf a, vf b) { return wasm_f32x4_mul(a, b); }
ALWAYS_INLINE vf v_div(vf a, vf b) { return wasm_f32x4_div(a, b); }
ALWAYS_INLINE vf v_sqrt(vf a) { return wasm_f32x4_sqrt(a); }
ALWAYS_INLINE vf v_fma(vf a, vf b, vf c) { return wasm_f32x4_add(wasm_f32x4_mul(a, b), c); }
ALWAYS_INLINE vf v_max(vf a, vf b) { return wasm_f32x4_pmax(b, a); }
ALWAYS_INLINE vf v_min(vf a, vf b) { return wasm_f32x4_pmin(b, a); }
ALWAYS_INLINE vf v_abs(vf a) { return wasm_f32x4_abs(a); }
ALWAYS_INLINE vf v_if_less(vf a, vf b, vf x, vf y) {
  return wasm_v128_bitselect(x, y, wasm_f32x4_lt(a, b));
}
ALWAYS_INLINE vf v_first(vf x, int n, vf y) {
  const v128_t lane = wasm_i32x4_make(0, 1, 2, 3);
  return wasm_v128_bitselect(x, y, wasm_i32x4_gt(wasm_i32x4_splat(n), lane));
}
ALWAYS_INLINE vf v_scale_exponent(vf p, vf t) { return wasm_i32x4_add(p, wasm_i32x4_shl(t, 23)); }
ALWAYS_INLINE real_t v_greatest(vf x) {
  const v128_t two = v_max(x, wasm_i32x4_shuffle(x, x, 2, 3, 0, 1));
  return wasm_f32x4_extract_lane(v_max(two, wasm_i32x4_shuffle(two, two, 1, 0, 3, 2)), 0);
}
ALWAYS_INLINE void v_transpose(vf x[4]) {
  const v128_t a = wasm_i32x4_shuffle(x[0], x[1], 0, 4, 1, 5), b = wasm_i32x4_shuffle(x[0], x[1], 2, 6, 3, 7);
  const v128_t c = wasm_i32x4_shuffle(x[2], x[3], 0, 4, 1, 5), d = wasm_i32x4_shuffle(x[2], x[3], 2, 6, 3, 7);
  x[0] = wasm_i64x2_shuffle(a, c, 0, 2);
  x[1] = wasm_i64x2_shuffle(a, c, 1, 3);
  x[2] = wasm_i64x2_shuffle(b, d, 0, 2);
  x[3] = wasm_i64x2_shuffle(b, d, 1, 3);
}
ALWAYS_INLINE real_t v_sum16(const vf a[4]) {
  const v128_t four = wasm_f32x4_add(wasm_f32x4_add(a[0], a[2]), wasm_f32x4_add(a[1], a[3]));
  const v128_t two = wasm_f32x4_add(four, wasm_i32x4_shuffle(four, four, 2, 3, 0, 1));
  return wasm_f32x4_extract_lane(two, 0) + wasm_f32x4_extract_lane(two, 1);
}

#else
#define VL 4
typedef real_t vf __attribute__((vector_size(4 * sizeof(real_t))));
ALWAYS_INLINE vf v_load(const real_t *p) { return (vf){p[0], p[1], p[2], p[3]}; }
ALWAYS_INLINE void v_store(real_t *p, vf x) {
  for (int i = 0; i < VL; i++) p[i] = x[i];
}
ALWAYS_INLINE vf v_set(real_t x) { return (vf){x, x, x, x}; }
ALWAYS_INLINE vf v_splat(const real_t *p) { return v_set(*p); }
ALWAYS_INLINE vf v_add(vf a, vf b) { return a + b; }
ALWAYS_INLINE vf v_sub(vf a, vf b) { return a - b; }
ALWAYS_INLINE vf v_mul(vf a, vf b) { return a * b; }
ALWAYS_INLINE vf v_div(vf a, vf b) { return a / b; }
ALWAYS_INLINE vf v_fma(vf a, vf b, vf c) { return a * b + c; }
#define EACH_LANE(expression)                \
  vf r;                                      \
  for (int i = 0; i < VL; i++) r[i] = (expression); \
  return r
ALWAYS_INLINE vf v_sqrt(vf a) { EACH_LANE(__builtin_sqrt(a[i])); }
ALWAYS_INLINE vf v_max(vf a, vf b) { EACH_LANE(a[i] > b[i] ? a[i] : b[i]); }
ALWAYS_INLINE vf v_min(vf a, vf b) { EACH_LANE(a[i] < b[i] ? a[i] : b[i]); }
ALWAYS_INLINE vf v_abs(vf a) { EACH_LANE(__builtin_fabs(a[i])); }
ALWAYS_INLINE vf v_if_less(vf a, vf b, vf x, vf y) { EACH_LANE(a[i] < b[i] ? x[i] : y[i]); }
ALWAYS_INLINE vf v_first(vf x, int n, vf y) { EACH_LANE(i < n ? x[i] : y[i]); }
ALWAYS_INLINE real_t v_greatest(vf x) {
  real_t top = x[0];
  for (int i = 1; i < VL; i++) top = x[i] > top ? x[i] : top;
  return top;
}
ALWAYS_INLINE void v_transpose(vf x[4]) {
  for (int i = 0; i < VL; i++)
    for (int j = 0; j < i; j++) {
      const real_t swapped = x[i][j];
      x[i][j] = x[j][i];
      x[j][i] = swapped;
    }
}
ALWAYS_INLINE real_t v_sum16(const vf a[4]) {
  const vf four = (a[0] + a[2]) + (a[1] + a[3]);
  return (four[0] + four[2]) + (four[1] + four[3]);
}
#endif

#if VL == 4
/* nothing goes past the caches here */
ALWAYS_INLINE void v_stream(real_t *p, vf x) { v_store(p, x); }
static __attribute__((noinline)) vf v_join(vf a, vf b, int n) {
  real_t lanes[2 * VL];
  v_store(lanes, a);
  v_store(lanes + VL, b);
  return v_load(lanes + n);
}
/* the first n numbers, zeros behind them; nothing else is read or written */
static __attribute__((noinline)) vf v_load_first(const real_t *p, int n) {
  real_t lanes[VL];
  for (int r = 0; r < VL; r++) lanes[r] = r < n ? p[r] : 0;
  return v_load(lanes);
}
static __attribute__((noinline)) void v_store_first(real_t *p, vf x, int n) {
  real_t lanes[VL];
  v_store(lanes, x);
  for (int r = 0; r < VL && r < n; r++) p[r] = lanes[r];
}
#endif

/* accumulators of one 16-lane sum; vector number i of a row adds into sum[i % SUM_VECTORS] */
#define SUM_VECTORS (16 / VL)
#endif
