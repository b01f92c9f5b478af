/*
 * Uevent sockets (NETLINK_KOBJECT_UEVENT): many datagrams per wake-up, each with who sent it, and overruns told, never swallowed.
 *
 * A wake-up reads with recvmmsg(2) into one buffer of `slots` × `slotBytes`, which JavaScript sees as `bytes`, and writes what is known
 * of datagram i into `facts[i * 8 …]`: length (the true one, even when cut), flags, nl_pid, nl_groups, nl_family, pid, uid, gid.
 * Then it calls onWake(count, 0). The buffer is used anew for the next batch: whoever wants bytes for longer copies them.
 * onWake(0, ENOBUFS) says that the kernel dropped datagrams because our buffer was full. It says so once: until the buffer has been
 * read empty it drops more without a word (af_netlink.c, NETLINK_S_CONGESTED), so onWake(0, 0) follows when that has happened, and
 * only then is the number of drops final. Source: netlink(7), recvmmsg(2).
 */
#include "addon.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#define SLOTS_MAX 1024
#define SLOT_BYTES_MIN 1024
#define SLOT_BYTES_MAX (1 << 20)
#define BUFFER_BYTES_MAX (64 << 20)
/* Batches read per wake-up, after which timers and other sockets have their turn; the rest stays in the kernel's buffer. */
#define BATCHES_PER_WAKE_UP 8

enum { FACT_LENGTH, FACT_FLAGS, FACT_NL_PID, FACT_NL_GROUPS, FACT_FAMILY, FACT_PID, FACT_UID, FACT_GID, FACTS };
enum { FLAG_TRUNCATED = 1, FLAG_CREDENTIALS = 2 };

/* Aligned as cmsg(3) asks, with room for the credentials and nothing else. */
union control {
  struct cmsghdr header;
  char space[CMSG_SPACE(sizeof(struct ucred))];
};

struct netlink_socket {
  struct netlink_socket *next;
  napi_env env;
  uint32_t id;
  int fd;
  uv_poll_t poll;
  bool is_closing;
  /* ENOBUFS was told, and the buffer has not been empty since. */
  bool is_congested;
  napi_ref on_wake;
  napi_ref bytes;
  napi_ref facts;
  napi_async_context context;
  napi_async_cleanup_hook_handle cleanup;
  uint32_t slots;
  uint32_t slot_bytes;
  struct mmsghdr *messages;
  struct iovec *vectors;
  struct sockaddr_nl *senders;
  union control *controls;
};

static void free_socket(struct netlink_socket *it) {
  if (it->on_wake != NULL) napi_delete_reference(it->env, it->on_wake);
  if (it->bytes != NULL) napi_delete_reference(it->env, it->bytes);
  if (it->facts != NULL) napi_delete_reference(it->env, it->facts);
  if (it->context != NULL) napi_async_destroy(it->env, it->context);
  free(it->messages);
  free(it->vectors);
  free(it->senders);
  free(it->controls);
  free(it);
}

static void closed(uv_handle_t *handle) {
  struct netlink_socket *it = handle->data;
  napi_handle_scope scope = NULL;
  napi_open_handle_scope(it->env, &scope);
  napi_async_cleanup_hook_handle cleanup = it->cleanup;
  napi_env env = it->env;
  free_socket(it);
  napi_close_handle_scope(env, scope);
  /* Last: when the environment waits for this hook, it may be gone right after. */
  if (cleanup != NULL) napi_remove_async_cleanup_hook(cleanup);
}

static void close_socket(struct netlink_socket *it) {
  if (it->is_closing) return;
  it->is_closing = true;
  void *data = NULL;
  if (napi_get_instance_data(it->env, &data) == napi_ok && data != NULL) {
    struct netlink_socket **link = &((struct addon *)data)->sockets;
    while (*link != NULL && *link != it) link = &(*link)->next;
    if (*link == it) *link = it->next;
  }
  uv_poll_stop(&it->poll);
  close(it->fd);
  it->fd = -1;
  uv_close((uv_handle_t *)&it->poll, closed);
}

static void clean_up(napi_async_cleanup_hook_handle handle, void *data) {
  (void)handle;
  close_socket(data);
}

/* Calls onWake(count, error). An exception in it becomes the process's uncaughtException, as from any other callback. */
static void wake(struct netlink_socket *it, int count, int error) {
  napi_value function = NULL;
  napi_value receiver = NULL;
  napi_value arguments[2] = {number_of(it->env, count), number_of(it->env, error)};
  if (napi_get_reference_value(it->env, it->on_wake, &function) != napi_ok || function == NULL) return;
  if (napi_get_global(it->env, &receiver) != napi_ok) return;
  napi_status status = napi_make_callback(it->env, it->context, receiver, function, 2, arguments, NULL);
  if (status != napi_pending_exception) return;
  napi_value exception = NULL;
  if (napi_get_and_clear_last_exception(it->env, &exception) == napi_ok) napi_fatal_exception(it->env, exception);
}

/* Where a referenced Uint8Array or Uint32Array is now; NULL when it is shorter than wanted, as after a transfer to another thread. */
static void *array_data(napi_env env, napi_ref reference, size_t wanted_elements) {
  napi_value value = NULL;
  void *data = NULL;
  size_t elements = 0;
  if (napi_get_reference_value(env, reference, &value) != napi_ok || value == NULL) return NULL;
  if (napi_get_typedarray_info(env, value, NULL, &elements, &data, NULL, NULL) != napi_ok) return NULL;
  return elements < wanted_elements ? NULL : data;
}

static void write_facts(const struct mmsghdr *message, uint32_t slot_bytes, uint32_t *facts) {
  const struct msghdr *header = &message->msg_hdr;
  const struct sockaddr_nl *sender = header->msg_name;
  bool has_sender = header->msg_namelen >= sizeof(*sender);
  bool is_cut = (header->msg_flags & MSG_TRUNC) != 0 || message->msg_len > slot_bytes;
  facts[FACT_LENGTH] = message->msg_len;
  facts[FACT_FLAGS] = is_cut ? FLAG_TRUNCATED : 0;
  facts[FACT_NL_PID] = has_sender ? sender->nl_pid : 0;
  facts[FACT_NL_GROUPS] = has_sender ? sender->nl_groups : 0;
  facts[FACT_FAMILY] = has_sender ? sender->nl_family : AF_UNSPEC;
  facts[FACT_PID] = facts[FACT_UID] = facts[FACT_GID] = UINT32_MAX;
  if ((header->msg_flags & MSG_CTRUNC) != 0) return;
  /* The macros take a pointer to non-const, and change nothing. */
  struct msghdr *walk = (struct msghdr *)(uintptr_t)header;
  for (struct cmsghdr *part = CMSG_FIRSTHDR(walk); part != NULL; part = CMSG_NXTHDR(walk, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS) continue;
    if (part->cmsg_len < CMSG_LEN(sizeof(struct ucred))) continue;
    struct ucred credentials;
    memcpy(&credentials, CMSG_DATA(part), sizeof(credentials));
    facts[FACT_FLAGS] |= FLAG_CREDENTIALS;
    facts[FACT_PID] = (uint32_t)credentials.pid;
    facts[FACT_UID] = credentials.uid;
    facts[FACT_GID] = credentials.gid;
    return;
  }
}

/* One recvmmsg: the number of datagrams, or a negative error number. */
static int read_batch(struct netlink_socket *it) {
  uint8_t *bytes = array_data(it->env, it->bytes, (size_t)it->slots * it->slot_bytes);
  uint32_t *facts = array_data(it->env, it->facts, (size_t)it->slots * FACTS);
  if (bytes == NULL || facts == NULL) return -EFAULT;
  for (uint32_t i = 0; i < it->slots; i += 1) {
    it->vectors[i] = (struct iovec){.iov_base = bytes + (size_t)i * it->slot_bytes, .iov_len = it->slot_bytes};
    it->messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &it->senders[i],
                                                   .msg_namelen = sizeof(it->senders[i]),
                                                   .msg_iov = &it->vectors[i],
                                                   .msg_iovlen = 1,
                                                   .msg_control = &it->controls[i],
                                                   .msg_controllen = sizeof(it->controls[i])}};
  }
  int count = 0;
  do {
    count = recvmmsg(it->fd, it->messages, it->slots, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC, NULL);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return -errno;
  for (int i = 0; i < count; i += 1) write_facts(&it->messages[i], it->slot_bytes, facts + (size_t)i * FACTS);
  return count;
}

static void fail(struct netlink_socket *it, int error) {
  if (error == ENOBUFS) it->is_congested = true;
  wake(it, 0, error);
}

static void drain(struct netlink_socket *it) {
  for (int batch = 0; batch < BATCHES_PER_WAKE_UP && !it->is_closing; batch += 1) {
    napi_handle_scope scope = NULL;
    if (napi_open_handle_scope(it->env, &scope) != napi_ok) return;
    int count = read_batch(it);
    bool is_done = count == -EAGAIN || count == 0;
    if (count > 0) wake(it, count, 0);
    else if (!is_done) fail(it, -count);
    /* A batch that was not full emptied the socket, and spares the call that would say so. */
    is_done = is_done || (count > 0 && (uint32_t)count < it->slots);
    if (is_done && it->is_congested && !it->is_closing) {
      it->is_congested = false;
      wake(it, 0, 0);
    }
    napi_close_handle_scope(it->env, scope);
    if (is_done || (count < 0 && count != -ENOBUFS)) return;
  }
}

static void readable(uv_poll_t *poll, int status, int events) {
  (void)events;
  struct netlink_socket *it = poll->data;
  if (status < 0) {
    /*
     * ENOBUFS shows as EPOLLERR, which libuv reports as UV_EBADF, and then stops the handle for good (libuv src/unix/poll.c).
     * Reading the error clears it; starting again makes the socket live on.
     */
    int error = 0;
    socklen_t length = sizeof(error);
    if (getsockopt(it->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
    int restarted = uv_poll_start(poll, UV_READABLE, readable);
    napi_handle_scope scope = NULL;
    if (napi_open_handle_scope(it->env, &scope) != napi_ok) return;
    if (error != 0) fail(it, error);
    if (restarted != 0 && !it->is_closing) fail(it, -restarted);
    napi_close_handle_scope(it->env, scope);
  }
  drain(it);
}

static bool make_buffers(napi_env env, struct netlink_socket *it, napi_value result) {
  size_t byte_count = (size_t)it->slots * it->slot_bytes;
  size_t fact_count = (size_t)it->slots * FACTS;
  napi_value bytes = NULL;
  napi_value facts = NULL;
  napi_value facts_memory = NULL;
  void *data = NULL;
  if (napi_create_buffer(env, byte_count, &data, &bytes) != napi_ok) return false;
  if (napi_create_arraybuffer(env, fact_count * sizeof(uint32_t), &data, &facts_memory) != napi_ok) return false;
  if (napi_create_typedarray(env, napi_uint32_array, fact_count, facts_memory, 0, &facts) != napi_ok) return false;
  it->messages = calloc(it->slots, sizeof(*it->messages));
  it->vectors = calloc(it->slots, sizeof(*it->vectors));
  it->senders = calloc(it->slots, sizeof(*it->senders));
  it->controls = calloc(it->slots, sizeof(*it->controls));
  if (it->messages == NULL || it->vectors == NULL || it->senders == NULL || it->controls == NULL) return false;
  return napi_create_reference(env, bytes, 1, &it->bytes) == napi_ok &&
         napi_create_reference(env, facts, 1, &it->facts) == napi_ok &&
         napi_set_named_property(env, result, "bytes", bytes) == napi_ok &&
         napi_set_named_property(env, result, "facts", facts) == napi_ok;
}

/* Puts what the kernel says of the socket on `result`: granted buffer, port, groups. Returns 0 or an error number. */
static int describe(napi_env env, int fd, bool was_forced, napi_value result) {
  int granted = 0;
  socklen_t length = sizeof(granted);
  if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &granted, &length) != 0) return errno;
  struct sockaddr_nl address = {0};
  length = sizeof(address);
  if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) return errno;
  if (address.nl_family != AF_NETLINK) return EAFNOSUPPORT;
  napi_value how = NULL;
  bool is_set = napi_create_string_utf8(env, was_forced ? "SO_RCVBUFFORCE" : "SO_RCVBUF", NAPI_AUTO_LENGTH, &how) ==
                    napi_ok &&
                napi_set_named_property(env, result, "how", how) == napi_ok && set_number(env, result, "fd", fd) &&
                set_number(env, result, "grantedBytes", granted) &&
                set_number(env, result, "portId", address.nl_pid) &&
                set_number(env, result, "groups", address.nl_groups);
  return is_set ? 0 : ENOMEM;
}

/* Starts watching `fd`, which it owns from here on in every case. */
static napi_value watch(napi_env env, int fd, bool was_forced, uint32_t slots, uint32_t slot_bytes,
                        napi_value on_wake) {
  struct addon *addon = addon_of(env);
  napi_value result = NULL;
  napi_value name = NULL;
  uv_loop_t *loop = NULL;
  struct netlink_socket *it = addon == NULL ? NULL : calloc(1, sizeof(*it));
  if (it == NULL || napi_create_object(env, &result) != napi_ok || napi_get_uv_event_loop(env, &loop) != napi_ok) {
    free(it);
    close(fd);
    return addon == NULL ? NULL : negative_errno(env, ENOMEM);
  }
  it->env = env;
  it->fd = fd;
  it->slots = slots;
  it->slot_bytes = slot_bytes;
  int error = describe(env, fd, was_forced, result);
  if (error == 0 &&
      (!make_buffers(env, it, result) || napi_create_reference(env, on_wake, 1, &it->on_wake) != napi_ok ||
       napi_create_string_utf8(env, "usherd:netlink", NAPI_AUTO_LENGTH, &name) != napi_ok ||
       napi_async_init(env, NULL, name, &it->context) != napi_ok))
    error = ENOMEM;
  if (error == 0) error = -uv_poll_init(loop, &it->poll, fd);
  if (error != 0) {
    free_socket(it);
    close(fd);
    return negative_errno(env, error);
  }
  /* From here on libuv knows the handle, so it goes the way of close_socket. */
  it->poll.data = it;
  addon->last_socket_id += 1;
  it->id = addon->last_socket_id;
  it->next = addon->sockets;
  addon->sockets = it;
  if (napi_add_async_cleanup_hook(env, clean_up, it, &it->cleanup) != napi_ok) error = ENOMEM;
  if (error == 0) error = -uv_poll_start(&it->poll, UV_READABLE, readable);
  if (error != 0 || !set_number(env, result, "id", it->id)) {
    close_socket(it);
    return negative_errno(env, error == 0 ? ENOMEM : error);
  }
  return result;
}

static bool read_slots(napi_env env, const char *call, napi_value slots, napi_value slot_bytes, napi_value on_wake,
                       uint32_t *slot_count, uint32_t *bytes_per_slot) {
  int64_t count = 0;
  int64_t bytes = 0;
  if (!argument_integer(env, slots, call, "slots", 1, SLOTS_MAX, &count)) return false;
  if (!argument_integer(env, slot_bytes, call, "slotBytes", SLOT_BYTES_MIN, SLOT_BYTES_MAX, &bytes)) return false;
  if (count * bytes > BUFFER_BYTES_MAX) {
    napi_throw_type_error(env, NULL, "netlink: slots times slotBytes must be at most 64 MiB");
    return false;
  }
  *slot_count = (uint32_t)count;
  *bytes_per_slot = (uint32_t)bytes;
  return argument_function(env, on_wake, call, "onWake");
}

/* netlinkOpen(groups, receiveBufferBytes, force, slots, slotBytes, onWake) → facts, or a negative error number. */
static napi_value netlink_open(napi_env env, napi_callback_info info) {
  static const char *const call = "netlinkOpen";
  napi_value values[6];
  int64_t groups = 0;
  int64_t buffer_bytes = 0;
  bool force = false;
  uint32_t slots = 0;
  uint32_t slot_bytes = 0;
  if (!arguments_read(env, info, call, 6, values)) return NULL;
  if (!argument_integer(env, values[0], call, "groups", 0, UINT32_MAX, &groups)) return NULL;
  if (!argument_integer(env, values[1], call, "receiveBufferBytes", 0, INT32_MAX / 2, &buffer_bytes)) return NULL;
  if (!argument_bool(env, values[2], call, "force", &force)) return NULL;
  if (!read_slots(env, call, values[3], values[4], values[5], &slots, &slot_bytes)) return NULL;
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
  if (fd < 0) return negative_errno(env, errno);
  int size = (int)buffer_bytes;
  bool was_forced = force && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == 0;
  if (!was_forced) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
  const int on = 1;
  struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = (uint32_t)groups};
  /* Credentials are asked for before the first datagram can arrive: one without them would have to be dropped (CVE-2012-3520). */
  if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0 ||
      bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
    int error = errno;
    close(fd);
    return negative_errno(env, error);
  }
  return watch(env, fd, was_forced, slots, slot_bytes, values[5]);
}

/* netlinkAdopt(fd, slots, slotBytes, onWake): a socket somebody bound for us, such as systemd's ListenNetlink=. */
static napi_value netlink_adopt(napi_env env, napi_callback_info info) {
  static const char *const call = "netlinkAdopt";
  napi_value values[4];
  int64_t fd = 0;
  uint32_t slots = 0;
  uint32_t slot_bytes = 0;
  if (!arguments_read(env, info, call, 4, values)) return NULL;
  if (!argument_integer(env, values[0], call, "fd", 0, INT32_MAX, &fd)) return NULL;
  if (!read_slots(env, call, values[1], values[2], values[3], &slots, &slot_bytes)) return NULL;
  int protocol = 0;
  socklen_t length = sizeof(protocol);
  const int on = 1;
  if (getsockopt((int)fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) != 0) return negative_errno(env, errno);
  if (protocol != NETLINK_KOBJECT_UEVENT) return negative_errno(env, EAFNOSUPPORT);
  if (setsockopt((int)fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0) return negative_errno(env, errno);
  return watch(env, (int)fd, false, slots, slot_bytes, values[3]);
}

/* netlinkClose(id) → whether there was such a socket. Nothing is called any more once it returns. */
static napi_value netlink_close(napi_env env, napi_callback_info info) {
  napi_value values[1];
  int64_t id = 0;
  if (!arguments_read(env, info, "netlinkClose", 1, values)) return NULL;
  if (!argument_integer(env, values[0], "netlinkClose", "id", 1, UINT32_MAX, &id)) return NULL;
  struct addon *addon = addon_of(env);
  if (addon == NULL) return NULL;
  struct netlink_socket *it = addon->sockets;
  while (it != NULL && it->id != (uint32_t)id) it = it->next;
  if (it != NULL) close_socket(it);
  napi_value result = NULL;
  napi_get_boolean(env, it != NULL, &result);
  return result;
}

bool netlink_register(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      FUNCTION("netlinkOpen", netlink_open),
      FUNCTION("netlinkAdopt", netlink_adopt),
      FUNCTION("netlinkClose", netlink_close),
  };
  return functions_register(env, exports, functions, sizeof(functions) / sizeof(functions[0]));
}
