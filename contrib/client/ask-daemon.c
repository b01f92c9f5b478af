#define _GNU_SOURCE
#include "ask-daemon.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Longest escape, six bytes, and what callers put behind a text. */
enum { KEPT_BYTES = 8 };

size_t append_json(char *line, size_t length, size_t size, const char *text) {
  static const char hex[] = "0123456789abcdef";
  if (length == 0) return 0;
  for (; *text != '\0'; text++) {
    unsigned char c = (unsigned char)*text;
    if (length + 6 + KEPT_BYTES >= size) return 0;
    if (c < 0x20 || c >= 0x7f) {
      memcpy(line + length, "\\u00", 4);
      line[length + 4] = hex[c >> 4];
      line[length + 5] = hex[c & 15];
      length += 6;
    } else {
      if (c == '"' || c == '\\') line[length++] = '\\';
      line[length++] = (char)c;
    }
  }
  return length;
}

size_t append_plain(char *line, size_t length, size_t size, const char *bytes) {
  size_t count = strlen(bytes);
  if (length == 0 || length + count + KEPT_BYTES >= size) return 0;
  memcpy(line + length, bytes, count);
  return length + count;
}

long now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int connect_daemon(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return -1;
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    close(fd);
    return -1;
  }
  /* Only root's daemon, or the caller's own, may say what is loaded. */
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (fd >= 0 && (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || (peer.uid != 0 && peer.uid != geteuid()))) {
    close(fd);
    return -1;
  }
  return fd;
}

int send_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return -1;
    bytes += sent;
    length -= (size_t)sent;
  }
  return 0;
}

void become_beside(const char *name, char *const words[]) {
  static char file[PATH_MAX + 64];
  ssize_t length = readlink("/proc/self/exe", file, PATH_MAX);
  if (length <= 0 || length >= PATH_MAX) return;
  file[length] = '\0';
  char *slash = strrchr(file, '/');
  if (slash == NULL || strlen(name) >= 64) return;
  strcpy(slash + 1, name);
  execv(file, words);
}
