/* Node-API glue: every kernel driver takes numbers, an address being the number of a byte in memory that the caller keeps
 * alive (native/memory.ts). Compiled for plain x86-64, so that it can say that a processor is too old. */
#include "glue.h"
#include "../kernels/drivers.h"
#include "pool.h"
#include <malloc.h>
#include <string.h>
#include <sys/mman.h>

GLUE(train_work_bytes, 5, train_work_bytes(P(0), I(1), I(2), I(3), I(4)))
GLUE(train_gradients, 11, train_gradients(P(0), P(1), P(2), P(3), P(4), P(5), P(6), I(7), I(8), I(9), P(10)))
GLUE(train_step, 14,
     train_step(P(0), P(1), P(2), P(3), P(4), P(5), P(6), I(7), I(8), I(9), P(10), P(11), a[12], P(13)))
GLUE(forward_work_bytes, 5, forward_work_bytes(P(0), I(1), I(2), I(3), I(4)))
GLUE(forward_batch, 12,
     forward_batch(P(0), P(1), P(2), P(3), P(4), P(5), P(6), I(7), I(8), I(9), P(10), P(11)))
GLUE(generate_work_bytes, 4, generate_work_bytes(P(0), I(1), I(2), I(3)))
GLUE_VOID(generate_next, 13,
          generate_next(P(0), P(1), P(2), I(3), I(4), I(5), I(6), P(7), P(8), P(9), P(10), I(11), P(12)))
GLUE(capture_work_bytes, 5, capture_work_bytes(P(0), I(1), I(2), I(3), I(4)))
GLUE_VOID(capture_batch, 14,
          capture_batch(P(0), P(1), P(2), P(3), P(4), P(5), P(6), I(7), I(8), I(9), P(10), P(11), P(12), I(13)))
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

GLUE(pool_create, 1, (uintptr_t)pool_create(I(0)))
GLUE_VOID(pool_destroy, 1, pool_destroy(P(0)))

/* addressOf(ArrayBuffer): its first byte. V8 does not move the bytes of an ArrayBuffer. */
static napi_value address_of(napi_env env, napi_callback_info info) {
  napi_value buffer;
  size_t count = 1, length;
  void *data;
  if (napi_get_cb_info(env, info, &count, &buffer, NULL, NULL) != napi_ok || count < 1 ||
      napi_get_arraybuffer_info(env, buffer, &data, &length) != napi_ok) {
    napi_throw_type_error(env, NULL, "addressOf: expected an ArrayBuffer");
    return NULL;
  }
  return number(env, (double)(uintptr_t)data);
}

/* Asks for pages of 2 MB in whole ones of [address, address + bytes), both multiples of 2 MB: products over rows touch
 * more small pages than the processor has translations for. A wish, which the system may not grant. */
static void use_large_pages(void *address, size_t bytes) {
#ifdef MADV_HUGEPAGE
  madvise(address, bytes, MADV_HUGEPAGE);
#endif
}
GLUE_VOID(useLargePages, 2, use_large_pages(P(0), (size_t)a[1]))

/* Lets the allocator keep up to `bytes` of what is freed at the end of its heap, and take blocks of up to 32 MB (its own
 * limit) from there: fresh pages cost several times what filling them does. For the whole process; glibc only. */
static void keep_freed_memory(int bytes) {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, bytes);
#endif
}
GLUE_VOID(keepFreedMemory, 1, keep_freed_memory(I(0)))

/* gives it back to the system */
static void release_freed_memory(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
GLUE_VOID(releaseFreedMemory, 0, release_freed_memory())

/* rows of row_bytes, stride bytes apart, one after another to `to` */
static void pack_bytes(char *to, const char *from, size_t rows, size_t row_bytes, size_t stride) {
  if (row_bytes == stride) {
    memcpy(to, from, rows * row_bytes);
    return;
  }
  for (size_t i = 0; i < rows; i++) memcpy(to + i * row_bytes, from + i * stride, row_bytes);
}
GLUE_VOID(packRows, 5, pack_bytes(P(0), P(1), (size_t)a[2], (size_t)a[3], (size_t)a[4]))

/* AVX2 and FMA, in the processor and kept by the operating system */
static int processor_suffices(void) {
#ifdef REAL_IS_FLOAT
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return 1;
#endif
}

#ifdef SINGLE_KERNELS
void set_single_kernels(napi_env env, napi_value exports); /* single-kernels.c: builds for tests only */
#endif

NAPI_MODULE_INIT() {
  napi_value value;
  napi_create_string_utf8(env, kernel_hash(), NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, exports, "kernelHash", value);
  napi_get_boolean(env, processor_suffices(), &value);
  napi_set_named_property(env, exports, "processorSuffices", value);
  SET(train_work_bytes);
  SET(train_gradients);
  SET(train_step);
  SET(forward_work_bytes);
  SET(forward_batch);
  SET(generate_work_bytes);
  SET(generate_next);
  SET(capture_work_bytes);
  SET(capture_batch);
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
  SET(pool_create);
  SET(pool_destroy);
  set_function(env, exports, "addressOf", address_of);
  SET(useLargePages);
  SET(keepFreedMemory);
  SET(releaseFreedMemory);
  SET(packRows);
#ifdef SINGLE_KERNELS
  set_single_kernels(env, exports);
#endif
  return exports;
}
