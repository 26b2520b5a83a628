/* Node-API glue: every kernel driver takes numbers, an address being the number of a byte in memory that the caller keeps
 * alive (native/memory.ts). The kernels are there once for each set of instructions (targets.json). Compiled for plain
 * x86-64, so that it can say that a processor is too old. */
#include "glue.h"
#include "pool.h"
#include <malloc.h>
#include <string.h>
#include <sys/mman.h>

/* A pool ends with the thread of JavaScript that made it, at the latest: when a worker of Node ends, the code that the
 * pool's threads wait in is taken out of memory. */
static void end_pool(void *made) { pool_destroy(made); }
static pool *make_pool(napi_env env, int threads) {
  pool *made = pool_create(threads);
  if (made) napi_add_env_cleanup_hook(env, end_pool, made);
  return made;
}
static void drop_pool(napi_env env, pool *made) {
  if (made) napi_remove_env_cleanup_hook(env, end_pool, made);
  pool_destroy(made);
}
GLUE(pool_create, 1, (uintptr_t)make_pool(env, I(0)))
GLUE_VOID(pool_destroy, 1, drop_pool(env, P(0)))

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

#ifdef REAL
#define EACH_SET(X) X(double, "x86-64, float64", 1)
#else
/* the levels 4 and 3 of the x86-64 ABI, as far as the kernels' flags make use of them; widest first */
#define HAS(feature) __builtin_cpu_supports(feature)
#define HAS_AVX2 (HAS("avx2") && HAS("fma") && HAS("bmi") && HAS("bmi2"))
#define HAS_AVX512 (HAS("avx512f") && HAS("avx512bw") && HAS("avx512cd") && HAS("avx512dq") && HAS("avx512vl"))
#define EACH_SET(X)                                     \
  X(avx512, "x86-64 AVX-512", HAS_AVX2 && HAS_AVX512)   \
  X(avx2, "x86-64 AVX2+FMA", HAS_AVX2)
#endif

#ifdef SINGLE_KERNELS
#define DECLARE(name, isa, supported)                   \
  void set_drivers_##name(napi_env env, napi_value set); \
  void set_single_kernels_##name(napi_env env, napi_value set);
#define SET_FUNCTIONS(name, set) (set_drivers_##name(env, set), set_single_kernels_##name(env, set))
#else
#define DECLARE(name, isa, supported) void set_drivers_##name(napi_env env, napi_value set);
#define SET_FUNCTIONS(name, set) set_drivers_##name(env, set)
#endif
EACH_SET(DECLARE)

/* {name, isa, supported, functions}; supported: by the processor and the operating system */
static napi_value kernel_set(napi_env env, const char *name, const char *isa, int supported, napi_value functions) {
  napi_value set, value;
  napi_create_object(env, &set);
  napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, set, "name", value);
  napi_create_string_utf8(env, isa, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, set, "isa", value);
  napi_get_boolean(env, supported, &value);
  napi_set_named_property(env, set, "supported", value);
  napi_set_named_property(env, set, "functions", functions);
  return set;
}

#define STRING(x) #x
#define TEXT(x) STRING(x)

NAPI_MODULE_INIT() {
  napi_value value, sets;
  napi_create_string_utf8(env, TEXT(KERNEL_HASH), NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, exports, "kernelHash", value);
  napi_create_array(env, &sets);
  uint32_t n_sets = 0;
  __builtin_cpu_init();
#define ADD_SET(name, isa, supported)                                                                  \
  {                                                                                                    \
    napi_value functions;                                                                              \
    napi_create_object(env, &functions);                                                               \
    SET_FUNCTIONS(name, functions);                                                                    \
    napi_set_element(env, sets, n_sets++, kernel_set(env, #name, isa, (supported) != 0, functions));   \
  }
  EACH_SET(ADD_SET)
  napi_set_named_property(env, exports, "sets", sets);
  SET(pool_create);
  SET(pool_destroy);
  set_function(env, exports, "addressOf", address_of);
  SET(useLargePages);
  SET(keepFreedMemory);
  SET(releaseFreedMemory);
  SET(packRows);
  return exports;
}
