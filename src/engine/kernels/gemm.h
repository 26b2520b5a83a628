/* C = A B for skinny matrices: the one matrix product of all layers, of attention and of every weight gradient. */
#ifndef SUMLENS_GEMM_H
#define SUMLENS_GEMM_H
#include "real.h"

typedef enum {
  GEMM_STORE,      /* C = A B + bias                                                  */
  GEMM_ACCUMULATE, /* C = C + A B, the chain of sums going on where C stopped          */
  GEMM_ADD,        /* C = C + (A B + bias), the product rounded before it is added     */
  GEMM_MULTIPLY    /* C = C * (A B)                                                   */
} gemm_mode;

/* Every output is one chain c = fma(A[i,k], B[k,j], c) over k in order, beginning with the bias, 0 or C: the numbers do
 * not depend on tiles, threads, or the splitting of k over several GEMM_ACCUMULATE calls. */
typedef struct {
  int m, n, k;
  /* A[i,k] at a[i * a_row + k * a_k]; one of a_row, a_k is 1 */
  const real_t *a;
  ptrdiff_t a_row, a_k;
  /* B[k,j] at b[(j / LANES) * b_panel + k * b_k + j % LANES]; whole panels of LANES columns are read */
  const real_t *b;
  ptrdiff_t b_k, b_panel;
  /* C[i,j] at c[i * c_row + j]; with c_padded whole panels are written, else n columns */
  real_t *c;
  ptrdiff_t c_row;
  int c_padded;
  gemm_mode mode;
  /* [n], whole panels are read; or NULL */
  const real_t *bias;
  /* row i sums over k_first[i] <= k < k_last[i] only, both not decreasing in i (terms between the first and last of a
   * tile of rows must then be exact zeros of A); or NULL */
  const int32_t *k_first, *k_last;
} gemm_t;

void gemm(const gemm_t *g);

/* Numbers in a packed [k, n] matrix: panels of LANES columns, each [k, LANES], the last filled up with zeros. */
static inline ptrdiff_t packed_size(int k, int n) { return (ptrdiff_t)k * padded(n); }
/* packed[k, j] = w[j * k_count + k]: a [n, k] weight, transposed, so that y = x packed is y = x w^T */
void pack_transposed(real_t *RESTRICT packed, const real_t *RESTRICT w, int n, int k);
/* packed[k, j] = w[k * row + j] */
void pack_rows(real_t *RESTRICT packed, const real_t *RESTRICT w, int k, int n, ptrdiff_t row);
#endif
