/* Sending on the uevent protocol: to a port, to a group, or to the kernel, which multicasts it as a uevent. Source: netlink(7). */
#include "addon.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX_BYTES (1 << 20)

static int send_from_new_socket(const struct sockaddr_nl *to, struct iovec *parts, size_t part_count, int *kept_fd) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
  if (fd < 0) return errno;
  struct msghdr message = {.msg_name = (void *)(uintptr_t)to, .msg_namelen = sizeof(*to), .msg_iov = parts,
                           .msg_iovlen = part_count};
  int error = sendmsg(fd, &message, MSG_DONTWAIT) < 0 ? errno : 0;
  if (error == 0 && kept_fd != NULL) *kept_fd = fd;
  else close(fd);
  return error;
}

/* netlinkSend(port, groups, bytes) → 0 or a negative error number: a datagram to one port, or to the groups when they are not 0. */
static napi_value netlink_send(napi_env env, napi_callback_info info) {
  static const char *const call = "netlinkSend";
  napi_value values[3];
  int64_t port = 0;
  int64_t groups = 0;
  const uint8_t *bytes = NULL;
  size_t length = 0;
  if (!arguments_read(env, info, call, 3, values)) return NULL;
  if (!argument_integer(env, values[0], call, "port", 0, UINT32_MAX, &port)) return NULL;
  if (!argument_integer(env, values[1], call, "groups", 0, UINT32_MAX, &groups)) return NULL;
  if (!argument_bytes(env, values[2], call, "bytes", &bytes, &length)) return NULL;
  if (length > MESSAGE_MAX_BYTES) return negative_errno(env, EMSGSIZE);
  struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_pid = (uint32_t)port, .nl_groups = (uint32_t)groups};
  struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
  return negative_errno(env, send_from_new_socket(&to, &part, 1, NULL));
}

/* What the kernel acknowledged: 0 or the error number in its NLMSG_ERROR answer. It answers while sendmsg runs. */
static int read_acknowledgement(int fd) {
  struct {
    struct nlmsghdr header;
    struct nlmsgerr error;
  } answer = {0};
  ssize_t length = recv(fd, &answer, sizeof(answer), MSG_DONTWAIT);
  if (length < 0) return errno;
  if ((size_t)length < sizeof(answer) || answer.header.nlmsg_type != NLMSG_ERROR) return EBADMSG;
  return -answer.error.error;
}

/*
 * netlinkInject(bytes) → 0 or a negative error number. Sends `ACTION@DEVPATH\0KEY=VALUE\0…` to the kernel's own port, which adds a
 * SEQNUM and multicasts it in this network namespace (lib/kobject_uevent.c, uevent_net_rcv_skb). Needs CAP_SYS_ADMIN in the user
 * namespace that owns the network namespace. It is how the tests make real uevents without hardware.
 */
static napi_value netlink_inject(napi_env env, napi_callback_info info) {
  napi_value values[1];
  const uint8_t *bytes = NULL;
  size_t length = 0;
  if (!arguments_read(env, info, "netlinkInject", 1, values)) return NULL;
  if (!argument_bytes(env, values[0], "netlinkInject", "bytes", &bytes, &length)) return NULL;
  if (length > MESSAGE_MAX_BYTES) return negative_errno(env, EMSGSIZE);
  struct nlmsghdr header = {.nlmsg_len = (uint32_t)(sizeof(header) + length),
                            .nlmsg_type = NLMSG_MIN_TYPE,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK};
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  struct iovec parts[2] = {{.iov_base = &header, .iov_len = sizeof(header)},
                           {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length}};
  int fd = -1;
  int error = send_from_new_socket(&kernel, parts, 2, &fd);
  if (error != 0) return negative_errno(env, error);
  error = read_acknowledgement(fd);
  close(fd);
  return negative_errno(env, error);
}

bool netlink_send_register(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      FUNCTION("netlinkSend", netlink_send),
      FUNCTION("netlinkInject", netlink_inject),
  };
  return functions_register(env, exports, functions, sizeof(functions) / sizeof(functions[0]));
}
