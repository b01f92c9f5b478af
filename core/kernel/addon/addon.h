/*
 * What the files of the addon share. Plain C on Node-API 8, so that one binary serves every Node from 12.22 on.
 * Rules: every argument is checked here and answered with a TypeError that names the call and the argument; what the kernel refuses
 * is a negative error number handed back as a value; no pointer into a JavaScript buffer is kept after the call that got it returns.
 */
#ifndef USHERD_ADDON_H
#define USHERD_ADDON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct netlink_socket;

/* What one environment (the main thread, or a worker) owns. */
struct addon {
  napi_env env;
  /* Open netlink sockets, newest first. */
  struct netlink_socket *sockets;
  uint32_t last_socket_id;
  /* Brings results of threads back to JavaScript; made when the first thread starts. */
  napi_threadsafe_function finished;
  uint32_t running_rows;
};

/* The environment's own data; NULL with an exception pending when Node has none. */
struct addon *addon_of(napi_env env);

/* A path without its NUL. Source: linux/limits.h, PATH_MAX. */
#define PATH_MAX_BYTES 4095U

/* arguments.c */
bool arguments_read(napi_env env, napi_callback_info info, const char *call, size_t wanted, napi_value *values);
bool argument_integer(napi_env env, napi_value value, const char *call, const char *name, int64_t min, int64_t max,
                      int64_t *out);
bool argument_bool(napi_env env, napi_value value, const char *call, const char *name, bool *out);
/* The text is NUL-terminated and malloc'ed; the caller frees it. A NUL inside is refused. */
bool argument_text(napi_env env, napi_value value, const char *call, const char *name, size_t max_bytes, char **out);
/* The bytes belong to JavaScript and stand still only until this call returns. */
bool argument_bytes(napi_env env, napi_value value, const char *call, const char *name, const uint8_t **bytes,
                    size_t *length);
bool argument_function(napi_env env, napi_value value, const char *call, const char *name);
napi_value number_of(napi_env env, int64_t number);
napi_value negative_errno(napi_env env, int error);
bool set_number(napi_env env, napi_value object, const char *key, int64_t number);

/* small-files.c: what one read(2) of an attribute gives at most. Source: fs/sysfs/file.c, PAGE_SIZE. */
#define SMALL_FILE_MAX_BYTES 4096
/* The first page of a file → its length, or a negative error number. */
ssize_t small_file_read(const char *path, char text[SMALL_FILE_MAX_BYTES]);

/* thread.c: jobs on detached threads, the answer of each as a promise. */
struct job {
  /* On the thread: no Node-API in here. */
  void (*run)(struct job *job);
  /* On the event loop: the answer the promise is fulfilled with. */
  napi_value (*answer)(napi_env env, struct job *job);
  /* Frees the job and all it owns; on whichever thread is last. */
  void (*release)(struct job *job);
  struct addon *addon;
  napi_threadsafe_function finished;
  napi_deferred deferred;
  /* It waits for nobody: no more of its kind run at once than there are processors. */
  bool computes;
  /* While it is handed to a thread that was there, or waits for one that computes. */
  struct job *next;
  /* The row it is in, and its place there. */
  struct row *row;
  uint32_t place;
  /* Its thread is one beside the row's first. */
  bool is_beside;
  /* Set by `run`: what of its row has not begun is not to be done. Found set by it: neither is this. */
  bool is_over;
};
/* A job of a row, by its place, and one before it that must be done first. */
struct need {
  uint32_t job;
  uint32_t needed;
};
/* Takes the job over in every case. Returns the promise, or a negative error number when no thread can be had. */
napi_value job_start(napi_env env, struct job *job);
/*
 * A row of jobs, in its order and side by side as far as needs and processors allow: an array of their promises, or a negative error
 * number when no thread can be had. Takes the jobs over in every case, not so the lists.
 */
napi_value jobs_start(napi_env env, struct job *const *jobs, uint32_t count, const struct need *needs,
                      uint32_t need_count);
/* Gives up jobs that were not started. */
void jobs_release(struct job *const *jobs, uint32_t count);

/* One per subject: puts its functions on `exports`. */
bool netlink_register(napi_env env, napi_value exports);
bool netlink_send_register(napi_env env, napi_value exports);
bool module_calls_register(napi_env env, napi_value exports);
bool unix_socket_register(napi_env env, napi_value exports);
bool device_calls_register(napi_env env, napi_value exports);
bool lzma_register(napi_env env, napi_value exports);
bool memory_register(napi_env env, napi_value exports);
bool small_files_register(napi_env env, napi_value exports);
bool files_aside_register(napi_env env, napi_value exports);
bool piece_register(napi_env env, napi_value exports);
bool functions_register(napi_env env, napi_value exports, const napi_property_descriptor *functions, size_t count);

#define FUNCTION(name, function) {(name), NULL, (function), NULL, NULL, NULL, napi_enumerable, NULL}

#endif
