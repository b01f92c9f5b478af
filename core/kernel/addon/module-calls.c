/*
 * finit_module(2), init_module(2) and delete_module(2), each on a thread of its own; the promise is fulfilled with 0 or a negative
 * error number, as the system call gave it. glibc has no wrappers, hence syscall(2).
 */
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The kernel copies parameters with strndup_user(…, ~0UL >> 1) and frees them; a page is more than any module takes. */
#define PARAMETERS_MAX_BYTES (64U * 1024U)
/* The largest module image handed over, the same as the limit on a decompressed module file. */
#define IMAGE_MAX_BYTES (512U * 1024U * 1024U)
#define NAME_MAX_BYTES 255U
/* A module with more modules before it than this has a loop in its dependencies. */
#define FILES_MAX 128U
/* The answer for a file that did not begin before one was refused: no error number, and not 0. */
#define NOT_TRIED 1
/*
 * A module's init makes events of its own; where there is one processor, reading and recording them would hold up the very insertion
 * somebody waits for.
 */
#define CALL_NICENESS (-10)

struct module_job {
  struct job job;
  enum { FINIT, INIT, DELETE, PUT } call;
  unsigned int flags;
  /* What is put on disk before the modules after it, a descriptor of our own; -1 where there is nothing. */
  int fd;
  /* The module's file; NULL where there is none. */
  char *path;
  /* Parameters, or the module's name. */
  char *text;
  uint8_t *image;
  size_t image_bytes;
  int result;
  double took_ms;
};

static long insert_file(const struct module_job *it) {
  /* A pipe in a module's place must not be waited for; to a file O_NONBLOCK is nothing. */
  const int fd = open(it->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return -1;
  const long status = syscall(SYS_finit_module, fd, it->text, (int)it->flags);
  const int error = errno;
  close(fd);
  errno = error;
  return status;
}

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void run(struct job *job) {
  struct module_job *it = (struct module_job *)job;
  long status = -1;
  if (job->is_over) {
    it->result = NOT_TRIED;
    return;
  }
  if (it->call == PUT) {
    /* What comes after it is done whatever comes of it: a disk that fails must not keep drivers away. */
    if (it->result == 0 && fdatasync(it->fd) != 0) it->result = -errno;
    return;
  }
  /* Of this thread alone (setpriority(2), notes on threads). Where it may not, the call goes on as everybody else. */
  const int before = getpriority(PRIO_PROCESS, 0);
  (void)setpriority(PRIO_PROCESS, 0, CALL_NICENESS);
  const double began_ms = now_ms();
  switch (it->call) {
    case FINIT: status = insert_file(it); break;
    case INIT: status = syscall(SYS_init_module, it->image, it->image_bytes, it->text); break;
    case DELETE: status = syscall(SYS_delete_module, it->text, it->flags); break;
    case PUT: break;
  }
  it->result = status == 0 ? 0 : -errno;
  it->took_ms = now_ms() - began_ms;
  job->is_over = it->result != 0 && it->result != -EEXIST;
  /* The thread may have another job after this one. */
  (void)setpriority(PRIO_PROCESS, 0, before);
}

static napi_value answer(napi_env env, struct job *job) {
  return number_of(env, ((struct module_job *)job)->result);
}

/* Of what is in a row: also the milliseconds it took, since nobody else knows when its turn came. */
static napi_value answer_timed(napi_env env, struct job *job) {
  const struct module_job *it = (const struct module_job *)job;
  const double numbers[2] = {it->result, it->took_ms};
  napi_value pair = NULL;
  if (napi_create_array_with_length(env, 2, &pair) != napi_ok) return NULL;
  for (uint32_t at = 0; at < 2; at++) {
    napi_value number = NULL;
    if (napi_create_double(env, numbers[at], &number) != napi_ok || napi_set_element(env, pair, at, number) != napi_ok)
      return NULL;
  }
  return pair;
}

static void release(struct job *job) {
  struct module_job *it = (struct module_job *)job;
  if (it->fd >= 0) close(it->fd);
  free(it->path);
  free(it->text);
  free(it->image);
  free(it);
}

/* Takes `text` over in every case. */
static struct module_job *new_job(napi_env env, char *text) {
  struct module_job *it = calloc(1, sizeof(*it));
  if (it == NULL) {
    free(text);
    napi_throw_error(env, NULL, "usherd addon: out of memory");
    return NULL;
  }
  it->job = (struct job){.run = run, .answer = answer, .release = release};
  it->fd = -1;
  it->text = text;
  return it;
}

/* The three values of the file at a place in the list → its job; NULL with an exception pending. */
static struct module_job *file_job(napi_env env, napi_value list, uint32_t at) {
  napi_value values[3];
  int64_t flags = 0;
  char *path = NULL;
  char *parameters = NULL;
  for (uint32_t n = 0; n < 3; n++)
    if (napi_get_element(env, list, 3 * at + n, &values[n]) != napi_ok) return NULL;
  if (!argument_integer(env, values[2], "finitModules", "flags", 0, INT32_MAX, &flags)) return NULL;
  if (!argument_text(env, values[1], "finitModules", "parameters", PARAMETERS_MAX_BYTES, &parameters)) return NULL;
  struct module_job *it = new_job(env, parameters);
  if (it == NULL) return NULL;
  it->call = FINIT;
  it->job.answer = answer_timed;
  it->flags = (unsigned int)flags;
  if (!argument_text(env, values[0], "finitModules", "path", PATH_MAX_BYTES, &path)) {
    release(&it->job);
    return NULL;
  }
  it->path = path;
  return it;
}

/* A descriptor → the job that puts its file on disk; NULL with an exception pending. The caller may close its own meanwhile. */
static struct module_job *put_job(napi_env env, int fd) {
  struct module_job *it = new_job(env, NULL);
  if (it == NULL) return NULL;
  it->job.answer = answer_timed;
  it->call = PUT;
  it->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  it->result = it->fd < 0 ? -errno : 0;
  return it;
}

/* Pairs of places in the list of files, each with one before it → `needs`, the places moved on by `first`. False with an exception pending. */
static bool read_needs(napi_env env, napi_value list, uint32_t files, uint32_t first, struct need *needs,
                       uint32_t count) {
  for (uint32_t at = 0; at < count; at++) {
    int64_t pair[2] = {0, 0};
    for (uint32_t n = 0; n < 2; n++) {
      napi_value value = NULL;
      if (napi_get_element(env, list, 2 * at + n, &value) != napi_ok) return false;
      if (!argument_integer(env, value, "finitModules", "needs", 0, n == 0 ? files - 1 : pair[0] - 1, &pair[n])) return false;
    }
    needs[at] = (struct need){.job = first + (uint32_t)pair[0], .needed = first + (uint32_t)pair[1]};
  }
  return true;
}

/* How many elements an array has, of which `each` make one; false when it is none, or has other numbers of them. */
static bool count_of(napi_env env, napi_value list, uint32_t each, uint32_t max, uint32_t *count) {
  bool is_list = false;
  uint32_t length = 0;
  if (napi_is_array(env, list, &is_list) != napi_ok || !is_list || napi_get_array_length(env, list, &length) != napi_ok)
    return false;
  *count = length / each;
  return length % each == 0 && *count <= max;
}

/*
 * [path, parameters, flags, path, …] and the pairs [file, needed file, …], by place: each file once those it needs are in, none after one
 * that is refused for another reason than being there. Before them `putFd` is put on disk, unless it is -1: what came of that is the first
 * answer, and keeps no module away. Each answer is [0 or a negative error number, milliseconds].
 */
static napi_value finit_modules(napi_env env, napi_callback_info info) {
  napi_value arguments[3] = {NULL, NULL, NULL};
  uint32_t files = 0;
  uint32_t pairs = 0;
  int64_t put_fd = -1;
  if (!arguments_read(env, info, "finitModules", 3, arguments)) return NULL;
  if (!argument_integer(env, arguments[2], "finitModules", "putFd", -1, INT32_MAX, &put_fd)) return NULL;
  if (!count_of(env, arguments[0], 3, FILES_MAX, &files) || files == 0) {
    napi_throw_type_error(env, NULL, "finitModules: files must be an array of path, parameters and flags of each");
    return NULL;
  }
  if (!count_of(env, arguments[1], 2, FILES_MAX * FILES_MAX, &pairs)) {
    napi_throw_type_error(env, NULL, "finitModules: needs must be an array of pairs of places");
    return NULL;
  }
  struct job *jobs[FILES_MAX + 1];
  uint32_t count = 0;
  struct need *needs = calloc(pairs + files, sizeof(*needs));
  if (needs == NULL) return negative_errno(env, ENOMEM);
  bool is_read = true;
  if (put_fd >= 0) {
    struct module_job *put = put_job(env, (int)put_fd);
    is_read = put != NULL;
    if (is_read) jobs[count++] = &put->job;
  }
  /* Each file needs what is put on disk first. */
  const uint32_t first = count;
  is_read = is_read && read_needs(env, arguments[1], files, first, needs, pairs);
  for (uint32_t at = 0; is_read && at < files; at++) {
    struct module_job *it = file_job(env, arguments[0], at);
    is_read = it != NULL;
    if (is_read) jobs[count++] = &it->job;
    if (first > 0) needs[pairs++] = (struct need){.job = first + at, .needed = 0};
  }
  napi_value started = NULL;
  if (is_read) started = jobs_start(env, jobs, count, needs, pairs);
  else jobs_release(jobs, count);
  free(needs);
  return started;
}

static napi_value init_module(napi_env env, napi_callback_info info) {
  napi_value values[2];
  const uint8_t *bytes = NULL;
  size_t length = 0;
  char *parameters = NULL;
  if (!arguments_read(env, info, "initModule", 2, values)) return NULL;
  if (!argument_bytes(env, values[0], "initModule", "image", &bytes, &length)) return NULL;
  if (length > IMAGE_MAX_BYTES) return negative_errno(env, EFBIG);
  if (!argument_text(env, values[1], "initModule", "parameters", PARAMETERS_MAX_BYTES, &parameters)) return NULL;
  struct module_job *it = new_job(env, parameters);
  if (it == NULL) return NULL;
  it->call = INIT;
  /* A copy: JavaScript may hand its buffer to another thread, or drop it, while the kernel reads. */
  it->image = malloc(length == 0 ? 1 : length);
  if (it->image == NULL) {
    release(&it->job);
    return negative_errno(env, ENOMEM);
  }
  if (length > 0) memcpy(it->image, bytes, length);
  it->image_bytes = length;
  return job_start(env, &it->job);
}

static napi_value delete_module(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int64_t flags = 0;
  char *name = NULL;
  if (!arguments_read(env, info, "deleteModule", 2, values)) return NULL;
  if (!argument_integer(env, values[1], "deleteModule", "flags", 0, INT32_MAX, &flags)) return NULL;
  if (!argument_text(env, values[0], "deleteModule", "name", NAME_MAX_BYTES, &name)) return NULL;
  struct module_job *it = new_job(env, name);
  if (it == NULL) return NULL;
  it->call = DELETE;
  it->flags = (unsigned int)flags;
  return job_start(env, &it->job);
}

bool module_calls_register(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      FUNCTION("finitModules", finit_modules),
      FUNCTION("initModule", init_module),
      FUNCTION("deleteModule", delete_module),
  };
  return functions_register(env, exports, functions, sizeof(functions) / sizeof(functions[0]));
}
