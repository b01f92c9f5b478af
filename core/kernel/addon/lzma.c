/*
 * xz-compressed bytes → their content, by the system's liblzma, opened on the first use so that nothing else depends on it being there.
 * The few declarations below are liblzma's public ABI (liblzma.so.5, lzma/base.h and lzma/container.h), which has not changed since
 * 5.0; having them here means that building needs no header package. Kernel modules are compressed with `xz --check=crc32`.
 */
#include "addon.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const uint8_t *next_in;
  size_t avail_in;
  uint64_t total_in;
  uint8_t *next_out;
  size_t avail_out;
  uint64_t total_out;
  const void *allocator;
  void *internal;
  void *reserved_ptr[4];
  uint64_t seek_pos;
  uint64_t reserved_int2;
  size_t reserved_int3;
  size_t reserved_int4;
  int reserved_enum1;
  int reserved_enum2;
} lzma_stream;

enum {
  LZMA_OK = 0,
  LZMA_STREAM_END = 1,
  LZMA_UNSUPPORTED_CHECK = 3,
  LZMA_MEM_ERROR = 5,
  LZMA_MEMLIMIT_ERROR = 6,
  LZMA_FORMAT_ERROR = 7,
  LZMA_OPTIONS_ERROR = 8,
  LZMA_DATA_ERROR = 9,
  LZMA_BUF_ERROR = 10
};
#define LZMA_TELL_UNSUPPORTED_CHECK UINT32_C(0x02)
#define LZMA_FINISH 3

/* Memory the decoder may take: `xz -9` needs 65 MiB, the kernel's build 2 MiB. */
#define DECODER_MEMORY_MAX_BYTES (UINT64_C(128) << 20)
/* First guess at the content's size, as a multiple of the input: modules shrink to about a quarter. */
#define FIRST_GUESS_FACTOR 4U
#define FIRST_GUESS_MIN_BYTES (64U * 1024U)
#define OUTPUT_MAX_BYTES (INT64_C(1) << 30)

static struct {
  int (*stream_decoder)(lzma_stream *, uint64_t, uint32_t);
  int (*code)(lzma_stream *, int);
  void (*end)(lzma_stream *);
  bool is_there;
} liblzma;

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
  memcpy(&liblzma.stream_decoder, &decoder, sizeof(decoder));
  memcpy(&liblzma.code, &code, sizeof(code));
  memcpy(&liblzma.end, &end, sizeof(end));
  liblzma.is_there = true;
}

/* Once for the process, whichever worker asks first. */
static bool load_liblzma(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, open_liblzma);
  return liblzma.is_there;
}

/* Decoded bytes, or why there are none. */
struct decoded {
  uint8_t *bytes;
  size_t length;
  const char *refusal;
};

static const char *refusal_of(int status) {
  switch (status) {
    case LZMA_FORMAT_ERROR: return "not-xz";
    case LZMA_BUF_ERROR: return "truncated";
    case LZMA_MEM_ERROR: return "out-of-memory";
    case LZMA_MEMLIMIT_ERROR: return "needs-too-much-memory";
    case LZMA_OPTIONS_ERROR:
    case LZMA_UNSUPPORTED_CHECK: return "unsupported";
    default: return "damaged";
  }
}

/* Gives the output room for more, up to one byte over the limit: the byte that proves that there is too much. */
static bool grow(struct decoded *out, size_t *capacity, size_t max_bytes) {
  if (*capacity > max_bytes) {
    out->refusal = "too-large";
    return false;
  }
  size_t wanted = *capacity > max_bytes / 2 ? max_bytes + 1 : *capacity * 2;
  uint8_t *bytes = realloc(out->bytes, wanted);
  if (bytes == NULL) {
    out->refusal = "out-of-memory";
    return false;
  }
  out->bytes = bytes;
  *capacity = wanted;
  return true;
}

static void run_decoder(lzma_stream *stream, struct decoded *out, size_t capacity, size_t max_bytes) {
  for (;;) {
    stream->next_out = out->bytes + out->length;
    stream->avail_out = capacity - out->length;
    int status = liblzma.code(stream, LZMA_FINISH);
    out->length = capacity - stream->avail_out;
    if (status == LZMA_STREAM_END) {
      if (out->length > max_bytes) out->refusal = "too-large";
      /* A module file is one stream and nothing after it. */
      else if (stream->avail_in > 0) out->refusal = "trailing-bytes";
      return;
    }
    bool is_full = stream->avail_out == 0;
    if (status != LZMA_OK && !(status == LZMA_BUF_ERROR && is_full)) {
      out->refusal = refusal_of(status);
      return;
    }
    if (is_full && !grow(out, &capacity, max_bytes)) return;
  }
}

static struct decoded decode(const uint8_t *bytes, size_t length, size_t max_bytes) {
  struct decoded out = {0};
  size_t capacity = length > SIZE_MAX / FIRST_GUESS_FACTOR ? max_bytes : length * FIRST_GUESS_FACTOR;
  if (capacity < FIRST_GUESS_MIN_BYTES) capacity = FIRST_GUESS_MIN_BYTES;
  if (capacity > max_bytes) capacity = max_bytes + 1;
  out.bytes = malloc(capacity);
  if (out.bytes == NULL) {
    out.refusal = "out-of-memory";
    return out;
  }
  lzma_stream stream = {0};
  int status = liblzma.stream_decoder(&stream, DECODER_MEMORY_MAX_BYTES, LZMA_TELL_UNSUPPORTED_CHECK);
  if (status != LZMA_OK) {
    out.refusal = refusal_of(status);
  } else {
    stream.next_in = bytes;
    stream.avail_in = length;
    run_decoder(&stream, &out, capacity, max_bytes);
  }
  liblzma.end(&stream);
  if (out.refusal != NULL) {
    free(out.bytes);
    out.bytes = NULL;
    out.length = 0;
    return out;
  }
  /* Gives back what the guess was too large by; should that fail, the larger piece is as good. */
  uint8_t *fitted = realloc(out.bytes, out.length == 0 ? 1 : out.length);
  if (fitted != NULL) out.bytes = fitted;
  return out;
}

static void free_bytes(napi_env env, void *bytes, void *hint) {
  (void)env;
  (void)hint;
  free(bytes);
}

/* Takes the bytes over: a Buffer on them without a copy, or one with where the engine allows no foreign memory. */
static napi_value hand_over(napi_env env, struct decoded *out) {
  napi_value value = NULL;
  if (out->refusal != NULL) {
    napi_create_string_utf8(env, out->refusal, NAPI_AUTO_LENGTH, &value);
    return value;
  }
  uint8_t *bytes = out->bytes;
  out->bytes = NULL;
  if (out->length > 0 && napi_create_external_buffer(env, out->length, bytes, free_bytes, NULL, &value) == napi_ok)
    return value;
  napi_status status = napi_create_buffer_copy(env, out->length, bytes, NULL, &value);
  free(bytes);
  return status == napi_ok ? value : NULL;
}

static bool read_arguments(napi_env env, napi_callback_info info, const char *call, const uint8_t **bytes,
                           size_t *length, size_t *max_bytes) {
  napi_value values[2];
  int64_t max = 0;
  if (!arguments_read(env, info, call, 2, values)) return false;
  if (!argument_integer(env, values[1], call, "maxBytes", 1, OUTPUT_MAX_BYTES, &max)) return false;
  *max_bytes = (size_t)max;
  return argument_bytes(env, values[0], call, "bytes", bytes, length);
}

static napi_value no_library(napi_env env) {
  napi_value value = NULL;
  napi_create_string_utf8(env, "no-library", NAPI_AUTO_LENGTH, &value);
  return value;
}

static napi_value xz_decode(napi_env env, napi_callback_info info) {
  const uint8_t *bytes = NULL;
  size_t length = 0;
  size_t max_bytes = 0;
  if (!read_arguments(env, info, "xzDecode", &bytes, &length, &max_bytes)) return NULL;
  if (!load_liblzma()) return no_library(env);
  struct decoded out = decode(bytes, length, max_bytes);
  return hand_over(env, &out);
}

struct xz_job {
  struct job job;
  uint8_t *input;
  size_t length;
  size_t max_bytes;
  struct decoded out;
};

static void run(struct job *job) {
  struct xz_job *it = (struct xz_job *)job;
  it->out = decode(it->input, it->length, it->max_bytes);
}

static napi_value answer(napi_env env, struct job *job) {
  return hand_over(env, &((struct xz_job *)job)->out);
}

static void release(struct job *job) {
  struct xz_job *it = (struct xz_job *)job;
  free(it->input);
  free(it->out.bytes);
  free(it);
}

static napi_value xz_decode_aside(napi_env env, napi_callback_info info) {
  const uint8_t *bytes = NULL;
  size_t length = 0;
  size_t max_bytes = 0;
  if (!read_arguments(env, info, "xzDecodeAside", &bytes, &length, &max_bytes)) return NULL;
  if (!load_liblzma()) return no_library(env);
  struct xz_job *it = calloc(1, sizeof(*it));
  uint8_t *input = malloc(length == 0 ? 1 : length);
  if (it == NULL || input == NULL) {
    free(it);
    free(input);
    napi_throw_error(env, NULL, "usherd addon: out of memory");
    return NULL;
  }
  if (length > 0) memcpy(input, bytes, length);
  it->job = (struct job){.run = run, .answer = answer, .release = release};
  it->input = input;
  it->length = length;
  it->max_bytes = max_bytes;
  return job_start(env, &it->job);
}

bool lzma_register(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      FUNCTION("xzDecode", xz_decode),
      FUNCTION("xzDecodeAside", xz_decode_aside),
  };
  return functions_register(env, exports, functions, sizeof(functions) / sizeof(functions[0]));
}
