/*
 * The kernel's helper for request_module(): asks usherd, waits for the module, and ends with its status.
 *
 *   usher-modprobe [--socket PATH] [--answers FILE] [-q] [--] ALIAS
 *
 * The kernel calls it as kernel.modprobe says, `usher-modprobe -q -- ALIAS`. Where no daemon answers, FILE says what is denied; what
 * it does not deny is left to `usher modprobe -q -- ALIAS` beside this program. No file is the state of a machine before its first
 * daemon; a file that cannot be trusted, or read, denies.
 *
 * Static, no allocation, no shell; what comes from the kernel is only ever sent or compared.
 * Source: Documentation/admin-guide/sysctl/kernel.rst, modprobe; kernel/module/kmod.c, call_modprobe.
 */
#define _GNU_SOURCE
#include "../client/ask-daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* An alias of the kernel has at most MODULE_NAME_LEN, 56 bytes; usherd looks up 2048. */
enum { ALIAS_MAX_BYTES = 2048 };
/* The answer is three lines of which the longest has a reason; a plan of many modules is not sent. */
enum { ANSWER_MAX_BYTES = 64 * 1024 };
/* 4096 patterns of some 40 bytes. */
enum { ANSWERS_FILE_MAX_BYTES = 1024 * 1024 };
/* As long as the slowest module's init is waited for; the kernel itself waits without end. */
enum { WAIT_MAX_MS = 120 * 1000 };
/* Any status but 0 tells the kernel that there is no module. */
enum { STATUS_REFUSED = 1 };

static const char *socket_path = "/run/usherd/socket";
static const char *answers_path = "/var/lib/usherd/request-answers";

/* The daemon's status for the alias, or -1 when there is no daemon that answers. */
static int ask_daemon(const char *alias) {
  static char line[ALIAS_MAX_BYTES * 6 + 128];
  static char answer[ANSWER_MAX_BYTES];
  const char head[] = "{\"usherd\":1,\"verb\":\"request-module\",\"params\":{\"alias\":\"";
  memcpy(line, head, sizeof head - 1);
  size_t length = append_json(line, sizeof head - 1, sizeof line, alias);
  length = append_plain(line, length, sizeof line, "\"}}\n");
  if (length == 0) return STATUS_REFUSED;
  int fd = connect_daemon(socket_path);
  if (fd < 0) return -1;
  if (send_all(fd, line, length) != 0) {
    close(fd);
    return -1;
  }
  long deadline = now_ms() + WAIT_MAX_MS;
  size_t filled = 0;
  for (;;) {
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    long left = deadline - now_ms();
    if (left <= 0 || filled + 1 >= sizeof answer) break;
    int ready = poll(&readable, 1, (int)left);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) break;
    ssize_t got = read(fd, answer + filled, sizeof answer - 1 - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += (size_t)got;
    answer[filled] = '\0';
    /* The item's first field is the status; nothing of the alias comes before it. */
    const char *item = strstr(answer, "{\"item\":{\"status\":");
    if (item != NULL) {
      close(fd);
      return item[18] == '0' ? 0 : STATUS_REFUSED;
    }
    if (strstr(answer, "{\"error\":") != NULL) {
      close(fd);
      return STATUS_REFUSED;
    }
  }
  close(fd);
  /* It took the request: asking somebody else now could load what it was about to deny. A daemon that closes at once took nothing. */
  return filled == 0 ? -1 : STATUS_REFUSED;
}

/* Whether FILE lets modprobe be asked. A file that others than root could have written denies. */
static int may_go_on(const char *alias) {
  static char text[ANSWERS_FILE_MAX_BYTES + 1];
  int fd = open(answers_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return errno == ENOENT;
  struct stat facts;
  int is_safe = fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && (facts.st_uid == 0 || facts.st_uid == geteuid()) &&
                (facts.st_mode & (S_IWGRP | S_IWOTH)) == 0 && facts.st_size <= ANSWERS_FILE_MAX_BYTES;
  size_t filled = 0;
  while (is_safe && filled < ANSWERS_FILE_MAX_BYTES) {
    ssize_t got = read(fd, text + filled, ANSWERS_FILE_MAX_BYTES - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) is_safe = 0;
    if (got <= 0) break;
    filled += (size_t)got;
  }
  close(fd);
  if (!is_safe) return 0;
  text[filled] = '\0';
  char *rest = NULL;
  for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
    if (strncmp(line, "deny ", 5) == 0 && fnmatch(line + 5, alias, 0) == 0) return 0;
    if (strncmp(line, "allow ", 6) == 0 && fnmatch(line + 6, alias, 0) == 0) return 1;
  }
  return 1;
}

/* Becomes `usher modprobe -q -- ALIAS`, of the usher beside this program. Returns only when there is none. */
static int become_modprobe(char *alias) {
  char *words[] = {(char *)"usher", (char *)"modprobe", (char *)"-q", (char *)"--", alias, NULL};
  become_beside("usher", words);
  return STATUS_REFUSED;
}

int main(int count, char **words) {
  char *alias = NULL;
  int is_word = 0;
  for (int i = 1; i < count; i++) {
    if (!is_word && strcmp(words[i], "--") == 0) is_word = 1;
    else if (!is_word && strcmp(words[i], "-q") == 0) continue;
    else if (!is_word && strcmp(words[i], "--socket") == 0 && i + 1 < count) socket_path = words[++i];
    else if (!is_word && strcmp(words[i], "--answers") == 0 && i + 1 < count) answers_path = words[++i];
    else if (alias == NULL) alias = words[i];
  }
  if (alias == NULL || *alias == '\0' || strlen(alias) > ALIAS_MAX_BYTES) {
    fputs("usher-modprobe: wanted one alias: usher-modprobe [--socket PATH] [--answers FILE] [-q] [--] ALIAS\n", stderr);
    return STATUS_REFUSED;
  }
  int status = ask_daemon(alias);
  if (status >= 0) return status;
  /* Aliases are compared with `_` for `-`, as modprobe does and as the file has them. */
  static char written[ALIAS_MAX_BYTES + 1];
  for (size_t i = 0; alias[i] != '\0'; i++) written[i] = alias[i] == '-' ? '_' : alias[i];
  return may_go_on(written) ? become_modprobe(alias) : STATUS_REFUSED;
}
