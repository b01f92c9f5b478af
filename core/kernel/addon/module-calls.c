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
#include <unistd.h>

/* The kernel copies parameters with strndup_user(…, ~0UL >> 1) and frees them; a page is more than any module takes. */
#define PARAMETERS_MAX_BYTES (64U * 1024U)
/* The largest module image handed over, the same as the limit on a decompressed module file. */
#define IMAGE_MAX_BYTES (512U * 1024U * 1024U)
#define NAME_MAX_BYTES 255U
#define PATH_MAX_BYTES 4095U
/*
 * A module's init makes events of its own; where there is one processor, reading and recording them would hold up the very insertion
 * somebody waits for.
 */
#define CALL_NICENESS (-10)

struct module_job {
  struct job job;
  enum { FINIT, INIT, DELETE } call;
  unsigned int flags;
  /* The module's file; NULL where there is none. */
  char *path;
  /* Parameters, or the module's name. */
  char *text;
  uint8_t *image;
  size_t image_bytes;
  int result;
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

static void run(struct job *job) {
  struct module_job *it = (struct module_job *)job;
  long status = -1;
  /* Of this thread alone (setpriority(2), notes on threads). Where it may not, the call goes on as everybody else. */
  const int before = getpriority(PRIO_PROCESS, 0);
  (void)setpriority(PRIO_PROCESS, 0, CALL_NICENESS);
  switch (it->call) {
    case FINIT: status = insert_file(it); break;
    case INIT: status = syscall(SYS_init_module, it->image, it->image_bytes, it->text); break;
    case DELETE: status = syscall(SYS_delete_module, it->text, it->flags); break;
  }
  it->result = status == 0 ? 0 : -errno;
  /* The thread may have another job after this one. */
  (void)setpriority(PRIO_PROCESS, 0, before);
}

static napi_value answer(napi_env env, struct job *job) {
  return number_of(env, ((struct module_job *)job)->result);
}

static void release(struct job *job) {
  struct module_job *it = (struct module_job *)job;
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
  it->text = text;
  return it;
}

static napi_value finit_module(napi_env env, napi_callback_info info) {
  napi_value values[3];
  int64_t flags = 0;
  char *path = NULL;
  char *parameters = NULL;
  if (!arguments_read(env, info, "finitModule", 3, values)) return NULL;
  if (!argument_integer(env, values[2], "finitModule", "flags", 0, INT32_MAX, &flags)) return NULL;
  if (!argument_text(env, values[1], "finitModule", "parameters", PARAMETERS_MAX_BYTES, &parameters)) return NULL;
  struct module_job *it = new_job(env, parameters);
  if (it == NULL) return NULL;
  it->call = FINIT;
  it->flags = (unsigned int)flags;
  if (!argument_text(env, values[0], "finitModule", "path", PATH_MAX_BYTES, &path)) {
    release(&it->job);
    return NULL;
  }
  it->path = path;
  return job_start(env, &it->job);
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
      FUNCTION("finitModule", finit_module),
      FUNCTION("initModule", init_module),
      FUNCTION("deleteModule", delete_module),
  };
  return functions_register(env, exports, functions, sizeof(functions) / sizeof(functions[0]));
}
