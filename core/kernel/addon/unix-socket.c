/* What Node has no call for on AF_UNIX: who the peer is (SO_PEERCRED), and datagrams (sd_notify(3), journald's native protocol). */
#include "addon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static napi_value peer_credentials(napi_env env, napi_callback_info info) {
  napi_value values[1];
  int64_t fd = 0;
  if (!arguments_read(env, info, "peerCredentials", 1, values)) return NULL;
  if (!argument_integer(env, values[0], "peerCredentials", "fd", 0, INT32_MAX, &fd)) return NULL;
  int family = 0;
  socklen_t length = sizeof(family);
  if (getsockopt((int)fd, SOL_SOCKET, SO_DOMAIN, &family, &length) != 0) return negative_errno(env, errno);
  /* Other families answer too, with nobody's pid 0 and uid -1: no answer is better than one that could be taken for true. */
  if (family != AF_UNIX) return negative_errno(env, EOPNOTSUPP);
  struct ucred credentials = {0};
  length = sizeof(credentials);
  if (getsockopt((int)fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return negative_errno(env, errno);
  if (length != sizeof(credentials)) return negative_errno(env, EINVAL);
  napi_value result = NULL;
  if (napi_create_object(env, &result) != napi_ok || !set_number(env, result, "pid", credentials.pid) ||
      !set_number(env, result, "uid", credentials.uid) || !set_number(env, result, "gid", credentials.gid))
    return NULL;
  return result;
}

/* `@name` is an abstract name, as in NOTIFY_SOCKET. Returns 0, or the error number for an address that fits no sockaddr_un. */
static int fill_address(const char *text, struct sockaddr_un *address, socklen_t *length) {
  size_t bytes = strlen(text);
  memset(address, 0, sizeof(*address));
  address->sun_family = AF_UNIX;
  if (bytes == 0) return EINVAL;
  bool is_abstract = text[0] == '@';
  /* A path is closed by a NUL; an abstract name is exactly as long as it is. */
  if (bytes + (is_abstract ? 0 : 1) > sizeof(address->sun_path)) return ENAMETOOLONG;
  memcpy(address->sun_path, text, bytes);
  if (is_abstract) address->sun_path[0] = 0;
  *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + bytes + (is_abstract ? 0 : 1));
  return 0;
}

static napi_value unix_send(napi_env env, napi_callback_info info) {
  napi_value values[2];
  char *text = NULL;
  const uint8_t *bytes = NULL;
  size_t byte_count = 0;
  if (!arguments_read(env, info, "unixSend", 2, values)) return NULL;
  if (!argument_bytes(env, values[1], "unixSend", "bytes", &bytes, &byte_count)) return NULL;
  if (!argument_text(env, values[0], "unixSend", "address", 4096, &text)) return NULL;
  struct sockaddr_un address;
  socklen_t length = 0;
  int error = fill_address(text, &address, &length);
  free(text);
  if (error != 0) return negative_errno(env, error);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return negative_errno(env, errno);
  ssize_t sent = sendto(fd, bytes, byte_count, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&address, length);
  error = sent < 0 ? errno : 0;
  close(fd);
  return negative_errno(env, error);
}

bool unix_socket_register(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      FUNCTION("peerCredentials", peer_credentials),
      FUNCTION("unixSend", unix_send),
  };
  return functions_register(env, exports, functions, sizeof(functions) / sizeof(functions[0]));
}
