/* What Node has no call for on devices: a network interface's name (netdevice(7)), and labels of security modules (xattr(7)). */
#include "addon.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/sockios.h>

static napi_value rename_interface(napi_env env, napi_callback_info info) {
  napi_value values[2];
  char *from = NULL;
  char *to = NULL;
  if (!arguments_read(env, info, "renameInterface", 2, values)) return NULL;
  if (!argument_text(env, values[0], "renameInterface", "from", IFNAMSIZ - 1, &from)) return NULL;
  if (!argument_text(env, values[1], "renameInterface", "to", IFNAMSIZ - 1, &to)) {
    free(from);
    return NULL;
  }
  struct ifreq request;
  memset(&request, 0, sizeof(request));
  memcpy(request.ifr_name, from, strlen(from));
  memcpy(request.ifr_newname, to, strlen(to));
  free(from);
  free(to);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return negative_errno(env, errno);
  int error = ioctl(fd, SIOCSIFNAME, &request) == 0 ? 0 : errno;
  close(fd);
  return negative_errno(env, error);
}

/* Through /proc/self/fd, since a descriptor opened with O_PATH takes no fsetxattr(2). */
static napi_value set_label(napi_env env, napi_callback_info info) {
  napi_value values[3];
  int64_t fd = 0;
  char *name = NULL;
  char *label = NULL;
  char path[64];
  if (!arguments_read(env, info, "setLabel", 3, values)) return NULL;
  if (!argument_integer(env, values[0], "setLabel", "fd", 0, INT32_MAX, &fd)) return NULL;
  if (!argument_text(env, values[1], "setLabel", "name", 255, &name)) return NULL;
  if (!argument_text(env, values[2], "setLabel", "label", 4096, &label)) {
    free(name);
    return NULL;
  }
  snprintf(path, sizeof(path), "/proc/self/fd/%d", (int)fd);
  int error = setxattr(path, name, label, strlen(label), 0) == 0 ? 0 : errno;
  free(name);
  free(label);
  return negative_errno(env, error);
}

bool device_calls_register(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      FUNCTION("renameInterface", rename_interface),
      FUNCTION("setLabel", set_label),
  };
  return functions_register(env, exports, functions, sizeof(functions) / sizeof(functions[0]));
}
