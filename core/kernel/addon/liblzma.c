/*
 * Finds liblzma: liblzma.h.
 */
#include "liblzma.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static struct liblzma functions;
static bool is_there;

static void open_liblzma(void) {
  void *library = dlopen("liblzma.so.5", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return;
  void *decoder = dlsym(library, "lzma_stream_decoder");
  void *code = dlsym(library, "lzma_code");
  void *end = dlsym(library, "lzma_end");
  if (decoder == NULL || code == NULL || end == NULL) {
    dlclose(library);
    return;
  }
  /* ISO C has no cast from an object's address to a function's; POSIX promises that both are alike. */
  memcpy(&functions.stream_decoder, &decoder, sizeof(decoder));
  memcpy(&functions.code, &code, sizeof(code));
  memcpy(&functions.end, &end, sizeof(end));
  is_there = true;
}

const struct liblzma *liblzma(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, open_liblzma);
  return is_there ? &functions : NULL;
}
