/* Each kernel by itself, for tests only (builds with "single": kernels-double.node, kernels-single.node). Rows are dense
 * here where that is possible: strides are those of the arrays that the tests make. */
#include "../kernels/gemm.h"
#include "../kernels/kernels.h"
#include "../kernels/vmath.h"
#include "glue.h"

static void vector_exp(real_t *out, const real_t *x, int n) {
  for (int i = 0; i < n; i += VL) v_store(out + i, v_exp(v_load(x + i)));
}

static void vector_normal(real_t *phi, real_t *density, const real_t *x, int n) {
  for (int i = 0; i < n; i += VL) {
    vf p, e;
    v_normal(v_load(x + i), &p, &e);
    v_store(phi + i, p);
    v_store(density + i, e);
  }
}

static void scalar_log(real_t *out, const real_t *x, int n) {
  for (int i = 0; i < n; i++) out[i] = real_log(x[i]);
}

/* one head: q [nq, HS], k and v [T, HS], rows of `row` numbers; p [nq, padded T], z [nq, HS]; last = position + 1 */
static void attention_forward(real_t *p, real_t *z, const real_t *q, const real_t *k, const real_t *v, int row,
                              const int32_t *position, const int32_t *last, int nq, int T, int HS, real_t *scratch) {
  attention_scores(p, q, row, position, nq, k, row, T, HS, scratch);
  const real_t scale = (real_t)1 / real_sqrt((real_t)HS);
  for (int i = 0; i < nq; i++) softmax_row(p + (ptrdiff_t)i * padded(T), last[i], padded(T), scale);
  attention_values(z, row, p, last, nq, v, row, T, HS);
}

static void attention_gradient(const real_t *dz, const real_t *q, const real_t *k, const real_t *v, real_t *dq, real_t *dk,
                               real_t *dv, int row, const real_t *p, const int32_t *position, const int32_t *last,
                               const int32_t *first, int nq, int T, int HS, real_t *scratch) {
  const attention_gradients g = {.dz = dz, .q = q, .k = k, .v = v, .dq = dq, .dk = dk, .dv = dv, .dz_row = row,
                                 .q_row = row, .kv_row = row, .dq_row = row, .dkv_row = row};
  attention_backward(&g, p, position, last, first, nq, T, HS, (real_t)1 / real_sqrt((real_t)HS), scratch);
}

/* C [m, n] from A [m, k] (transposed: [k, m]) and B packed by pack_rows or pack_transposed; C dense or padded */
static void matrix_product(real_t *c, const real_t *a, const real_t *b, const real_t *bias, int m, int n, int k,
                           int transposed, int c_padded, int mode, const int32_t *k_first, const int32_t *k_last) {
  const gemm_t g = {.m = m, .n = n, .k = k, .a = a, .a_row = transposed ? 1 : k, .a_k = transposed ? m : 1, .b = b,
                    .b_k = LANES, .b_panel = (ptrdiff_t)k * LANES, .c = c, .c_row = c_padded ? row_stride(n) : n,
                    .c_padded = c_padded, .mode = (gemm_mode)mode, .bias = bias, .k_first = k_first, .k_last = k_last};
  gemm(&g);
}

GLUE_VOID(vector_exp, 3, vector_exp(P(0), P(1), I(2)))
GLUE_VOID(vector_normal, 4, vector_normal(P(0), P(1), P(2), I(3)))
GLUE_VOID(scalar_log, 3, scalar_log(P(0), P(1), I(2)))
GLUE_VOID(pack_transposed, 4, pack_transposed(P(0), P(1), I(2), I(3)))
GLUE_VOID(pack_rows, 5, pack_rows(P(0), P(1), I(2), I(3), I(4)))
GLUE_VOID(matrix_product, 12,
          matrix_product(P(0), P(1), P(2), P(3), I(4), I(5), I(6), I(7), I(8), I(9), P(10), P(11)))
GLUE_VOID(layernorm_forward, 8, layernorm_forward(P(0), P(1), P(2), P(3), P(4), P(5), I(6), I(7)))
GLUE_VOID(layernorm_backward, 8, layernorm_backward(P(0), P(1), P(2), P(3), P(4), P(5), I(6), I(7)))
GLUE_VOID(layernorm_parameters, 6, layernorm_parameters(P(0), P(1), P(2), P(3), I(4), I(5)))
GLUE_VOID(activation_forward, 6, activation_forward(P(0), P(1), P(2), I(3), I(4), I(5)))
GLUE_VOID(gather_embedding, 5, gather_embedding(P(0), P(1), P(2), I(3), I(4)))
GLUE_VOID(scatter_embedding, 5, scatter_embedding(P(0), P(1), P(2), I(3), I(4)))
GLUE_VOID(column_sums, 5, column_sums(P(0), P(1), I(2), I(3), I(4)))
GLUE_VOID(softmax_row, 4, softmax_row(P(0), I(1), I(2), (real_t)a[3]))
GLUE_VOID(attention_forward, 12,
          attention_forward(P(0), P(1), P(2), P(3), P(4), I(5), P(6), P(7), I(8), I(9), I(10), P(11)))
GLUE_VOID(attention_gradient, 16,
          attention_gradient(P(0), P(1), P(2), P(3), P(4), P(5), P(6), I(7), P(8), P(9), P(10), P(11), I(12), I(13),
                             I(14), P(15)))
GLUE_VOID(cross_entropy, 9, cross_entropy(P(0), P(1), P(2), I(3), P(4), I(5), I(6), (real_t)a[7], P(8)))

void set_single_kernels(napi_env env, napi_value exports);
void set_single_kernels(napi_env env, napi_value exports) {
  SET(vector_exp);
  SET(vector_normal);
  SET(scalar_log);
  SET(pack_transposed);
  SET(pack_rows);
  SET(matrix_product);
  SET(layernorm_forward);
  SET(layernorm_backward);
  SET(layernorm_parameters);
  SET(activation_forward);
  SET(gather_embedding);
  SET(scatter_embedding);
  SET(column_sums);
  SET(softmax_row);
  SET(attention_forward);
  SET(attention_gradient);
  SET(cross_entropy);
}
