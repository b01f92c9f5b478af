/* What usherd's small programs share: a request as a JSON line over the daemon's unix socket. No allocation, no library but libc. */
#ifndef USHERD_ASK_DAEMON_H
#define USHERD_ASK_DAEMON_H

#include <stddef.h>

/*
 * `text` as the inside of a JSON string behind `line`, byte by byte, other bytes than ASCII as the code points of the same numbers.
 * Returns the new length, or 0 when it does not fit; 8 bytes are kept for what comes behind it.
 */
size_t append_json(char *line, size_t length, size_t size, const char *text);

/* `bytes` as they are; as append_json. */
size_t append_plain(char *line, size_t length, size_t size, const char *bytes);

long now_ms(void);

/* A connection to a daemon of root's or of our own user, or -1. */
int connect_daemon(const char *path);

/* 0, or -1 when the daemon is gone. */
int send_all(int fd, const char *bytes, size_t length);

/* Becomes the program of this name beside this one. Returns only when that cannot be. */
void become_beside(const char *name, char *const words[]);

#endif
