/* Arguments from JavaScript → C values, each checked for type and range, or a TypeError that names the call and the argument. */
#include "addon.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void throw_type_error(napi_env env, const char *call, const char *name, const char *wanted) {
  char message[256];
  snprintf(message, sizeof(message), "%s: %s must be %s", call, name, wanted);
  napi_throw_type_error(env, NULL, message);
}

bool arguments_read(napi_env env, napi_callback_info info, const char *call, size_t wanted, napi_value *values) {
  size_t count = wanted;
  if (napi_get_cb_info(env, info, &count, values, NULL, NULL) != napi_ok) {
    napi_throw_error(env, NULL, "usherd addon: arguments cannot be read");
    return false;
  }
  if (count != wanted) {
    char message[128];
    snprintf(message, sizeof(message), "%s: got %zu arguments, wants %zu", call, count, wanted);
    napi_throw_type_error(env, NULL, message);
    return false;
  }
  return true;
}

bool argument_integer(napi_env env, napi_value value, const char *call, const char *name, int64_t min, int64_t max,
                      int64_t *out) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok || floor(number) != number || number < (double)min ||
      number > (double)max) {
    char wanted[96];
    snprintf(wanted, sizeof(wanted), "an integer from %lld to %lld", (long long)min, (long long)max);
    throw_type_error(env, call, name, wanted);
    return false;
  }
  *out = (int64_t)number;
  return true;
}

bool argument_bool(napi_env env, napi_value value, const char *call, const char *name, bool *out) {
  if (napi_get_value_bool(env, value, out) == napi_ok) return true;
  throw_type_error(env, call, name, "true or false");
  return false;
}

bool argument_text(napi_env env, napi_value value, const char *call, const char *name, size_t max_bytes, char **out) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) {
    throw_type_error(env, call, name, "a string");
    return false;
  }
  if (length > max_bytes) {
    char wanted[96];
    snprintf(wanted, sizeof(wanted), "a string of at most %zu bytes, got %zu", max_bytes, length);
    throw_type_error(env, call, name, wanted);
    return false;
  }
  char *text = malloc(length + 1);
  size_t copied = 0;
  if (text == NULL || napi_get_value_string_utf8(env, value, text, length + 1, &copied) != napi_ok) {
    free(text);
    napi_throw_error(env, NULL, "usherd addon: out of memory");
    return false;
  }
  if (memchr(text, 0, copied) != NULL) {
    free(text);
    throw_type_error(env, call, name, "a string without a NUL");
    return false;
  }
  text[copied] = 0;
  *out = text;
  return true;
}

bool argument_bytes(napi_env env, napi_value value, const char *call, const char *name, const uint8_t **bytes,
                    size_t *length) {
  bool is_typed_array = false;
  napi_typedarray_type type = napi_int8_array;
  size_t elements = 0;
  void *data = NULL;
  if (napi_is_typedarray(env, value, &is_typed_array) != napi_ok || !is_typed_array ||
      napi_get_typedarray_info(env, value, &type, &elements, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array) {
    throw_type_error(env, call, name, "a Uint8Array");
    return false;
  }
  *bytes = data;
  *length = data == NULL ? 0 : elements;
  return true;
}

bool argument_function(napi_env env, napi_value value, const char *call, const char *name) {
  napi_valuetype type = napi_undefined;
  if (napi_typeof(env, value, &type) == napi_ok && type == napi_function) return true;
  throw_type_error(env, call, name, "a function");
  return false;
}

napi_value number_of(napi_env env, int64_t number) {
  napi_value value = NULL;
  napi_create_int64(env, number, &value);
  return value;
}

napi_value negative_errno(napi_env env, int error) {
  return number_of(env, -(int64_t)error);
}

bool set_number(napi_env env, napi_value object, const char *key, int64_t number) {
  return napi_set_named_property(env, object, key, number_of(env, number)) == napi_ok;
}
