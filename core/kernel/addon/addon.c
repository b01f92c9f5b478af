/* Registration: one `struct addon` per environment, and the functions of every subject on `exports`. */
#include "addon.h"

#include <stdlib.h>

struct addon *addon_of(napi_env env) {
  void *data = NULL;
  if (napi_get_instance_data(env, &data) != napi_ok || data == NULL) {
    napi_throw_error(env, NULL, "usherd addon: used after its environment was torn down");
    return NULL;
  }
  return data;
}

bool functions_register(napi_env env, napi_value exports, const napi_property_descriptor *functions, size_t count) {
  return napi_define_properties(env, exports, count, functions) == napi_ok;
}

static void free_addon(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  free(data);
}

NAPI_MODULE_INIT() {
  struct addon *addon = calloc(1, sizeof(*addon));
  if (addon == NULL) {
    napi_throw_error(env, NULL, "usherd addon: out of memory");
    return NULL;
  }
  addon->env = env;
  if (napi_set_instance_data(env, addon, free_addon, NULL) != napi_ok) {
    free(addon);
    napi_throw_error(env, NULL, "usherd addon: the environment takes no instance data");
    return NULL;
  }
  if (!netlink_register(env, exports) || !netlink_send_register(env, exports) || !module_calls_register(env, exports) ||
      !unix_socket_register(env, exports) || !device_calls_register(env, exports) || !lzma_register(env, exports) ||
      !memory_register(env, exports) || !small_files_register(env, exports) || !files_aside_register(env, exports) ||
      !piece_register(env, exports)) {
    napi_throw_error(env, NULL, "usherd addon: its functions could not be registered");
    return NULL;
  }
  return exports;
}
