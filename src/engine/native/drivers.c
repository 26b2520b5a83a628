/* The drivers of one set of kernels as functions of JavaScript. Compiled once for each set, for plain x86-64. */
#include "../kernels/drivers.h"
#include "glue.h"

GLUE(train_work_bytes, 5, train_work_bytes(P(0), I(1), I(2), I(3), I(4)))
GLUE(train_gradients, 11, train_gradients(P(0), P(1), P(2), P(3), P(4), P(5), P(6), I(7), I(8), I(9), P(10)))
GLUE(train_step, 14,
     train_step(P(0), P(1), P(2), P(3), P(4), P(5), P(6), I(7), I(8), I(9), P(10), P(11), a[12], P(13)))
GLUE(forward_work_bytes, 5, forward_work_bytes(P(0), I(1), I(2), I(3), I(4)))
GLUE(forward_batch, 15,
     forward_batch(P(0), P(1), P(2), P(3), P(4), P(5), P(6), I(7), I(8), I(9), P(10), P(11), P(12), I(13), P(14)))
GLUE(generate_work_bytes, 4, generate_work_bytes(P(0), I(1), I(2), I(3)))
GLUE_VOID(generate_next, 13,
          generate_next(P(0), P(1), P(2), I(3), I(4), I(5), I(6), P(7), P(8), P(9), P(10), I(11), P(12)))
GLUE(capture_work_bytes, 5, capture_work_bytes(P(0), I(1), I(2), I(3), I(4)))
GLUE_VOID(capture_batch, 14,
          capture_batch(P(0), P(1), P(2), P(3), P(4), P(5), P(6), I(7), I(8), I(9), P(10), P(11), P(12), I(13)))
GLUE(readout_scratch, 1, readout_scratch(P(0)))
GLUE_VOID(readout_rows, 6, readout_rows(P(0), P(1), P(2), P(3), P(4), I(5)))
GLUE_VOID(stage_prepare, 3, stage_prepare(P(0), P(1), P(2)))
GLUE(stage_weight_bytes, 1, stage_weight_bytes(P(0)))
GLUE_VOID(stage_embed, 6, stage_embed(P(0), P(1), P(2), P(3), I(4), I(5)))
GLUE_VOID(stage_add, 5, stage_add(P(0), P(1), P(2), P(3), I(4)))
GLUE_VOID(stage_layernorm, 8, stage_layernorm(P(0), P(1), P(2), I(3), I(4), P(5), P(6), I(7)))
GLUE_VOID(stage_linear, 8, stage_linear(P(0), P(1), P(2), I(3), I(4), P(5), P(6), I(7)))
GLUE_VOID(stage_activation, 4, stage_activation(P(0), P(1), P(2), I(3)))
GLUE(stage_scratch, 2, stage_scratch(P(0), I(1)))
GLUE_VOID(stage_scores, 8, stage_scores(P(0), P(1), P(2), P(3), P(4), I(5), P(6), P(7)))
GLUE_VOID(stage_pattern, 6, stage_pattern(P(0), P(1), P(2), P(3), I(4), P(5)))
GLUE_VOID(stage_values, 8, stage_values(P(0), P(1), P(2), P(3), P(4), I(5), P(6), P(7)))
GLUE(stage_logits, 11,
     stage_logits(P(0), P(1), P(2), P(3), P(4), P(5), P(6), P(7), I(8), P(9), P(10)))
GLUE(padded_width, 1, padded_width(I(0)))
GLUE(row_numbers, 1, row_numbers(I(0)))

void set_drivers(napi_env env, napi_value exports);
void set_drivers(napi_env env, napi_value exports) {
  SET(train_work_bytes);
  SET(train_gradients);
  SET(train_step);
  SET(forward_work_bytes);
  SET(forward_batch);
  SET(generate_work_bytes);
  SET(generate_next);
  SET(capture_work_bytes);
  SET(capture_batch);
  SET(readout_scratch);
  SET(readout_rows);
  SET(stage_prepare);
  SET(stage_weight_bytes);
  SET(stage_embed);
  SET(stage_add);
  SET(stage_layernorm);
  SET(stage_linear);
  SET(stage_activation);
  SET(stage_scratch);
  SET(stage_scores);
  SET(stage_pattern);
  SET(stage_values);
  SET(stage_logits);
  SET(padded_width);
  SET(row_numbers);
}
