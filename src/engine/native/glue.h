/* Turning a function of numbers and addresses into one of JavaScript: one line each. */
#ifndef SUMLENS_GLUE_H
#define SUMLENS_GLUE_H
#include <node_api.h>
#include <stddef.h>
#include <stdint.h>

#define MOST_ARGUMENTS 16

static inline int read_numbers(napi_env env, napi_callback_info info, double *a, size_t wanted) {
  napi_value values[MOST_ARGUMENTS];
  size_t count = MOST_ARGUMENTS;
  if (napi_get_cb_info(env, info, &count, values, NULL, NULL) != napi_ok || count < wanted) {
    napi_throw_type_error(env, NULL, "kernels.node: too few arguments");
    return 0;
  }
  for (size_t i = 0; i < wanted; i++) {
    if (napi_get_value_double(env, values[i], &a[i]) != napi_ok) {
      napi_throw_type_error(env, NULL, "kernels.node: an argument is not a number");
      return 0;
    }
  }
  return 1;
}

static inline napi_value number(napi_env env, double x) {
  napi_value result;
  napi_create_double(env, x, &result);
  return result;
}

#define P(i) ((void *)(uintptr_t)a[i])
#define I(i) ((int)a[i])
#define GLUE(name, count, expression)                                  \
  static napi_value glue_##name(napi_env env, napi_callback_info info) { \
    double a[MOST_ARGUMENTS];                                          \
    return read_numbers(env, info, a, count) ? number(env, (double)(expression)) : NULL; \
  }
#define GLUE_VOID(name, count, statement)                                \
  static napi_value glue_##name(napi_env env, napi_callback_info info) { \
    double a[MOST_ARGUMENTS];                                          \
    return read_numbers(env, info, a, count) ? number(env, ((statement), 0)) : NULL; \
  }

static inline void set_function(napi_env env, napi_value exports, const char *name, napi_callback function) {
  napi_value value;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, function, NULL, &value);
  napi_set_named_property(env, exports, name, value);
}
#define SET(name) set_function(env, exports, #name, glue_##name)
#endif
