/*
 * Files of sysfs that are read or written for as long as a driver takes, each call on a thread of its own: of Node's four threads none would
 * be left where four drivers are slow.
 */
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More devices than a machine has. */
#define FILES_MAX 65536U
#define TEXT_MAX_BYTES 4096U

struct file {
  char *path;
  /* What was read, of `length` bytes; a negative length is an error number. */
  char *text;
  ssize_t length;
};

struct reading {
  struct job job;
  uint32_t count;
  struct file files[];
};

struct writing {
  struct job job;
  char *path;
  char *text;
  int result;
};

static void read_all(struct job *job) {
  struct reading *it = (struct reading *)job;
  char text[SMALL_FILE_MAX_BYTES];
  for (uint32_t at = 0; at < it->count; at++) {
    struct file *file = &it->files[at];
    file->length = small_file_read(file->path, text);
    if (file->length <= 0) continue;
    file->text = malloc((size_t)file->length);
    if (file->text == NULL) file->length = -ENOMEM;
    else memcpy(file->text, text, (size_t)file->length);
  }
}

static napi_value texts_of(napi_env env, struct job *job) {
  const struct reading *it = (const struct reading *)job;
  napi_value texts = NULL;
  if (napi_create_array_with_length(env, it->count, &texts) != napi_ok) return NULL;
  for (uint32_t at = 0; at < it->count; at++) {
    const struct file *file = &it->files[at];
    napi_value text = NULL;
    if (file->length < 0) text = number_of(env, file->length);
    else if (napi_create_string_utf8(env, file->length == 0 ? "" : file->text, (size_t)file->length, &text) != napi_ok)
      return NULL;
    if (napi_set_element(env, texts, at, text) != napi_ok) return NULL;
  }
  return texts;
}

static void release_reading(struct job *job) {
  struct reading *it = (struct reading *)job;
  for (uint32_t at = 0; at < it->count; at++) {
    free(it->files[at].path);
    free(it->files[at].text);
  }
  free(it);
}

/* readTexts(files) → what the first page of each has, as UTF-8, or a negative error number, in their order. */
static napi_value read_texts(napi_env env, napi_callback_info info) {
  napi_value values[1];
  bool is_list = false;
  uint32_t count = 0;
  if (!arguments_read(env, info, "readTexts", 1, values)) return NULL;
  if (napi_is_array(env, values[0], &is_list) != napi_ok || !is_list ||
      napi_get_array_length(env, values[0], &count) != napi_ok || count > FILES_MAX) {
    napi_throw_type_error(env, NULL, "readTexts: files must be an array of at most 65536 strings");
    return NULL;
  }
  struct reading *it = calloc(1, sizeof(*it) + count * sizeof(it->files[0]));
  if (it == NULL) return negative_errno(env, ENOMEM);
  it->job = (struct job){.run = read_all, .answer = texts_of, .release = release_reading};
  it->count = count;
  for (uint32_t at = 0; at < count; at++) {
    napi_value path = NULL;
    if (napi_get_element(env, values[0], at, &path) == napi_ok &&
        argument_text(env, path, "readTexts", "file", PATH_MAX_BYTES, &it->files[at].path))
      continue;
    release_reading(&it->job);
    return NULL;
  }
  return job_start(env, &it->job);
}

static void write_one(struct job *job) {
  struct writing *it = (struct writing *)job;
  const int fd = open(it->path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    it->result = -errno;
    return;
  }
  const size_t length = strlen(it->text);
  const ssize_t written = write(fd, it->text, length);
  if (written != (ssize_t)length) it->result = written < 0 ? -errno : -EIO;
  close(fd);
}

static napi_value result_of(napi_env env, struct job *job) {
  return number_of(env, ((struct writing *)job)->result);
}

static void release_writing(struct job *job) {
  struct writing *it = (struct writing *)job;
  free(it->path);
  free(it->text);
  free(it);
}

/* writeText(file, text) → 0 or a negative error number. Never makes a file, nor goes through a link. */
static napi_value write_text(napi_env env, napi_callback_info info) {
  napi_value values[2];
  if (!arguments_read(env, info, "writeText", 2, values)) return NULL;
  struct writing *it = calloc(1, sizeof(*it));
  if (it == NULL) return negative_errno(env, ENOMEM);
  it->job = (struct job){.run = write_one, .answer = result_of, .release = release_writing};
  if (!argument_text(env, values[0], "writeText", "file", PATH_MAX_BYTES, &it->path) ||
      !argument_text(env, values[1], "writeText", "text", TEXT_MAX_BYTES, &it->text)) {
    release_writing(&it->job);
    return NULL;
  }
  return job_start(env, &it->job);
}

bool files_aside_register(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      FUNCTION("readTexts", read_texts),
      FUNCTION("writeText", write_text),
  };
  return functions_register(env, exports, functions, sizeof(functions) / sizeof(functions[0]));
}
