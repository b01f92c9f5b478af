/*
 * usher-client WORD...      or by a link: lsmod, modinfo, modprobe
 *
 * What `usher WORD...` prints, from the resident daemon: some tenths of a millisecond in place of Node's start. What the daemon does not
 * answer (whatever changes something, needs this process's folder, or comes from somebody who may not read what it would take) and
 * what nobody answers is left to the usher beside this program. Nothing is printed before it is known that the daemon answers.
 *
 *   client  {"usherd":1,"verb":"answer","params":{"words":[...],"env":{...},"columns":N}}
 *   daemon  {"usherd":1,...}   {"item":{"served":true}}   {"item":{"out":"BASE64"}}   {"item":{"err":"BASE64"}}   {"item":{"status":0}}
 */
#define _GNU_SOURCE
#include "ask-daemon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <unistd.h>

enum {
  /* A command line of many aliases; the daemon takes a line of 1 MiB. */
  REQUEST_MAX_BYTES = 1024 * 1024,
  /* As long as the daemon's longest line. */
  ANSWER_MAX_BYTES = 1024 * 1024 + 1,
  WORDS_MAX = 8192,
  PATH_BYTES = 4096,
};

/* What changes how an answer looks, or what it is. Source: environ(7), kmod(8), modprobe(8), no-color.org. */
static const char *const VARIABLES[] = {
    "KMOD_LOG", "MODPROBE_OPTIONS", "TERM", "NO_COLOR", "LANG", "LC_ALL", "LC_CTYPE", "TZ",
};

static const char *const TOOLS[] = {"lsmod", "modinfo", "modprobe", "insmod", "rmmod", "depmod", "kmod"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char request[REQUEST_MAX_BYTES];
static char answer[ANSWER_MAX_BYTES];

static const char *last_part(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash == NULL ? path : slash + 1;
}

static int is_tool(const char *name) {
  for (size_t i = 0; i < COUNT(TOOLS); i++)
    if (strcmp(name, TOOLS[i]) == 0) return 1;
  return 0;
}

/* The daemon's socket: beside a state folder that is named, else where systems and users have it. Source: core/kernel/system-root.ts. */
static int connect_somewhere(int count, char **words) {
  static char path[PATH_BYTES];
  for (int i = 0; i < count; i++) {
    const char *named = NULL;
    if (strcmp(words[i], "--state-dir") == 0 && i + 1 < count) named = words[i + 1];
    else if (strncmp(words[i], "--state-dir=", 12) == 0) named = words[i] + 12;
    if (named == NULL) continue;
    if (snprintf(path, sizeof path, "%s/socket", named) >= (int)sizeof path) return -1;
    return connect_daemon(path);
  }
  if (geteuid() != 0) {
    const char *run = getenv("XDG_RUNTIME_DIR");
    int length = snprintf(path, sizeof path, "%s/usherd-%u/socket", run == NULL ? "/tmp" : run, (unsigned)geteuid());
    int fd = length < (int)sizeof path ? connect_daemon(path) : -1;
    if (fd >= 0) return fd;
  }
  return connect_daemon("/run/usherd/socket");
}

/* The request's length, or 0 when it is too long. */
static size_t write_request(int count, char **words) {
  static const char head[] = "{\"usherd\":1,\"verb\":\"answer\",\"params\":{\"words\":[";
  char number[32];
  struct winsize window;
  size_t length = sizeof head - 1;
  memcpy(request, head, length);
  for (int i = 0; i < count; i++) {
    length = append_plain(request, length, sizeof request, i == 0 ? "\"" : ",\"");
    length = append_json(request, length, sizeof request, words[i]);
    length = append_plain(request, length, sizeof request, "\"");
  }
  length = append_plain(request, length, sizeof request, "],\"env\":{");
  int is_first = 1;
  for (size_t i = 0; i < COUNT(VARIABLES); i++) {
    const char *value = getenv(VARIABLES[i]);
    if (value == NULL) continue;
    length = append_plain(request, length, sizeof request, is_first ? "\"" : ",\"");
    length = append_plain(request, length, sizeof request, VARIABLES[i]);
    length = append_plain(request, length, sizeof request, "\":\"");
    length = append_json(request, length, sizeof request, value);
    length = append_plain(request, length, sizeof request, "\"");
    is_first = 0;
  }
  length = append_plain(request, length, sizeof request, "}");
  if (isatty(STDOUT_FILENO)) {
    int columns = ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 ? window.ws_col : 0;
    snprintf(number, sizeof number, ",\"columns\":%d", columns);
    length = append_plain(request, length, sizeof request, number);
  }
  return append_plain(request, length, sizeof request, "}}\n");
}

static int digit_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

/* Decodes base64 in place up to its closing quote, and writes it. Returns 0, or -1 when nobody reads any more. */
static int write_base64(int fd, char *text) {
  char *to = text;
  unsigned bits = 0;
  int held = 0;
  for (char *from = text; *from != '"' && *from != '\0' && *from != '='; from++) {
    int digit = digit_of(*from);
    if (digit < 0) return -1;
    bits = bits << 6 | (unsigned)digit;
    held += 6;
    if (held >= 8) {
      held -= 8;
      *to++ = (char)(bits >> held & 0xff);
    }
  }
  for (char *at = text; at < to;) {
    ssize_t written = write(fd, at, (size_t)(to - at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return -1;
    at += written;
  }
  return 0;
}

/* One line of the daemon's. Returns a status from 0 on when it is the last, -1 to go on, -2 when the daemon leaves it to us. */
static int take_line(char *line) {
  static const char out[] = "{\"item\":{\"out\":\"", err[] = "{\"item\":{\"err\":\"", status[] = "{\"item\":{\"status\":";
  if (strncmp(line, out, sizeof out - 1) == 0) return write_base64(STDOUT_FILENO, line + sizeof out - 1) == 0 ? -1 : 0;
  if (strncmp(line, err, sizeof err - 1) == 0) return write_base64(STDERR_FILENO, line + sizeof err - 1) == 0 ? -1 : 0;
  if (strncmp(line, status, sizeof status - 1) == 0) return atoi(line + sizeof status - 1);
  return strncmp(line, "{\"error\":", 9) == 0 || strncmp(line, "{\"item\":{\"served\":false", 23) == 0 ? -2 : -1;
}

/* The status of what the daemon answers, or -1 when it does not. Once something was printed there is no way back: then it is 1. */
static int ask(int fd, size_t length) {
  size_t filled = 0;
  int is_served = 0;
  if (send_all(fd, request, length) != 0) return -1;
  for (;;) {
    ssize_t got = read(fd, answer + filled, sizeof answer - 1 - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return is_served ? EXIT_FAILURE : -1;
    filled += (size_t)got;
    char *line = answer;
    for (;;) {
      char *end = memchr(line, '\n', filled - (size_t)(line - answer));
      if (end == NULL) break;
      *end = '\0';
      if (strncmp(line, "{\"item\":{\"served\":true", 22) == 0) is_served = 1;
      int status = take_line(line);
      if (status >= 0) return status;
      if (status == -2) return is_served ? EXIT_FAILURE : -1;
      line = end + 1;
    }
    filled -= (size_t)(line - answer);
    memmove(answer, line, filled);
    if (filled + 1 >= sizeof answer) return is_served ? EXIT_FAILURE : -1;
  }
}

int main(int argc, char **argv) {
  static char *words[WORDS_MAX + 3];
  int count = 0;
  const char *name = last_part(argv[0]);
  words[count++] = (char *)"usher";
  if (is_tool(name)) words[count++] = (char *)name;
  for (int i = 1; i < argc && count < WORDS_MAX; i++) words[count++] = argv[i];
  int is_whole = argc <= WORDS_MAX - 2;
  size_t length = is_whole ? write_request(count - 1, words + 1) : 0;
  int fd = length == 0 ? -1 : connect_somewhere(count - 1, words + 1);
  if (fd >= 0) {
    int status = ask(fd, length);
    close(fd);
    if (status >= 0) return status;
  }
  if (is_whole) become_beside("usher", words);
  fprintf(stderr, "usher-client: %s\n", is_whole ? "no daemon answers, and there is no usher beside this program" : "too many words");
  return EXIT_FAILURE;
}
