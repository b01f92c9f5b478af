/*
 * Small files that the kernel makes as they are read (sysfs, proc), in one call of JavaScript's: Node's own take four for each. And locks on
 * files, for which Node has no call.
 */
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

ssize_t small_file_read(const char *path, char text[SMALL_FILE_MAX_BYTES]) {
  /* A pipe must not be waited for, nor a terminal become ours. */
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return -errno;
  ssize_t length = 0;
  do {
    length = read(fd, text, SMALL_FILE_MAX_BYTES);
  } while (length < 0 && errno == EINTR);
  const int error = errno;
  close(fd);
  return length < 0 ? -error : length;
}

/* readText(file) → what its first page has, as UTF-8, or a negative error number: as open(2) or read(2) has it. */
static napi_value read_text(napi_env env, napi_callback_info info) {
  napi_value values[1];
  char *path = NULL;
  char text[SMALL_FILE_MAX_BYTES];
  if (!arguments_read(env, info, "readText", 1, values)) return NULL;
  if (!argument_text(env, values[0], "readText", "file", PATH_MAX_BYTES, &path)) return NULL;
  const ssize_t length = small_file_read(path, text);
  free(path);
  if (length < 0) return number_of(env, length);
  napi_value result = NULL;
  return napi_create_string_utf8(env, text, (size_t)length, &result) == napi_ok ? result : negative_errno(env, ENOMEM);
}

/*
 * The byte that is locked is the one by which SQLite lets one writer in (RESERVED_BYTE; sqlite.org/fileformat2.html, "lock-byte page"): a
 * usherd whose lock was a transaction of SQLite's on the same file is kept out, and keeps us out.
 */
static struct flock whole_right(void) {
  return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000001, .l_len = 1};
}

/* lockFile(fd) → 0, or a negative error number: EAGAIN when another has it. */
static napi_value lock_file(napi_env env, napi_callback_info info) {
  napi_value values[1];
  int64_t fd = 0;
  if (!arguments_read(env, info, "lockFile", 1, values)) return NULL;
  if (!argument_integer(env, values[0], "lockFile", "fd", 0, INT32_MAX, &fd)) return NULL;
  struct flock right = whole_right();
  return negative_errno(env, fcntl((int)fd, F_OFD_SETLK, &right) == 0 ? 0 : errno);
}

/* isLocked(fd) → 1 when another open file has that lock, 0 when none, or a negative error number. */
static napi_value is_locked(napi_env env, napi_callback_info info) {
  napi_value values[1];
  int64_t fd = 0;
  if (!arguments_read(env, info, "isLocked", 1, values)) return NULL;
  if (!argument_integer(env, values[0], "isLocked", "fd", 0, INT32_MAX, &fd)) return NULL;
  struct flock right = whole_right();
  if (fcntl((int)fd, F_OFD_GETLK, &right) != 0) return negative_errno(env, errno);
  return number_of(env, right.l_type == F_UNLCK ? 0 : 1);
}

bool small_files_register(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      FUNCTION("readText", read_text),
      FUNCTION("lockFile", lock_file),
      FUNCTION("isLocked", is_locked),
  };
  return functions_register(env, exports, functions, sizeof(functions) / sizeof(functions[0]));
}
