/*
 * xz-compressed bytes → their content, by the system's liblzma. Kernel modules are compressed with `xz --check=crc32`.
 */
#include "addon.h"
#include "xz-block.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Memory the decoder may take: `xz -9` needs 65 MiB, the kernel's build 2 MiB. */
#define DECODER_MEMORY_MAX_BYTES (UINT64_C(128) << 20)
#define OUTPUT_MAX_BYTES (INT64_C(1) << 30)
#define INPUT_MAX_BYTES (INT64_C(1) << 30)

/* Decoded bytes, at the beginning of a block, or why there are none. */
struct decoded {
  struct block *block;
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

/* Gives the output room for more, where it has none for the byte that proves that there is too much. */
static bool grow(struct decoded *out, size_t max_bytes) {
  struct block *block = out->block;
  if (block->capacity > max_bytes) {
    out->refusal = "too-large";
    return false;
  }
  if (block_grow(block, block->capacity * 2)) return true;
  out->refusal = "out-of-memory";
  return false;
}

static void run_decoder(struct decoded *out, size_t max_bytes) {
  lzma_stream *stream = &out->block->stream;
  for (;;) {
    /* A block may have more room than this file may fill, but for the byte that proves that it has too much. */
    size_t room = out->block->capacity > max_bytes ? max_bytes + 1 : out->block->capacity;
    stream->next_out = out->block->bytes + out->length;
    stream->avail_out = room - out->length;
    int status = liblzma()->code(stream, LZMA_FINISH);
    out->length = room - stream->avail_out;
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
    if (is_full && !grow(out, max_bytes)) return;
  }
}

static struct decoded nothing_yet(void) {
  struct decoded out = {.block = block_take()};
  if (out.block == NULL) out.refusal = "out-of-memory";
  return out;
}

static void decode(struct decoded *out, const uint8_t *bytes, size_t length, size_t max_bytes, uint32_t flags) {
  lzma_stream *stream = &out->block->stream;
  /* A decoder that was there before keeps its tables. */
  int status = liblzma()->stream_decoder(stream, DECODER_MEMORY_MAX_BYTES, LZMA_TELL_UNSUPPORTED_CHECK | flags);
  if (status != LZMA_OK) {
    out->refusal = refusal_of(status);
    return;
  }
  stream->next_in = bytes;
  stream->avail_in = length;
  run_decoder(out, max_bytes);
}

static void end_loan(napi_env env, void *bytes, void *data) {
  (void)env;
  (void)bytes;
  block_give_back(loan_end(data, NULL));
  free(data);
}

/* Takes the bytes over: a Buffer on them without a copy, or one with where the engine allows no foreign memory. */
static napi_value hand_over(napi_env env, struct decoded *out) {
  napi_value value = NULL;
  struct block *block = out->block;
  out->block = NULL;
  if (out->refusal != NULL) {
    block_give_back(block);
    napi_create_string_utf8(env, out->refusal, NAPI_AUTO_LENGTH, &value);
    return value;
  }
  struct loan *loan = out->length > 0 ? loan_of(block) : NULL;
  if (loan != NULL) {
    if (napi_create_external_buffer(env, out->length, block->bytes, end_loan, loan, &value) == napi_ok) return value;
    loan_end(loan, NULL);
    free(loan);
  }
  napi_status status = napi_create_buffer_copy(env, out->length, block->bytes, NULL, &value);
  block_give_back(block);
  return status == napi_ok ? value : NULL;
}

static napi_value no_library(napi_env env) {
  napi_value value = NULL;
  napi_create_string_utf8(env, "no-library", NAPI_AUTO_LENGTH, &value);
  return value;
}

static napi_value xz_decode(napi_env env, napi_callback_info info) {
  napi_value values[2];
  const uint8_t *bytes = NULL;
  size_t length = 0;
  int64_t max = 0;
  if (!arguments_read(env, info, "xzDecode", 2, values)) return NULL;
  if (!argument_integer(env, values[1], "xzDecode", "maxBytes", 1, OUTPUT_MAX_BYTES, &max)) return NULL;
  if (!argument_bytes(env, values[0], "xzDecode", "bytes", &bytes, &length)) return NULL;
  if (liblzma() == NULL) return no_library(env);
  struct decoded out = nothing_yet();
  if (out.refusal == NULL) decode(&out, bytes, length, (size_t)max, 0);
  return hand_over(env, &out);
}

struct xz_job {
  struct job job;
  char *path;
  size_t length;
  size_t max_bytes;
  struct decoded out;
  /* The CRC-32 that the file says its content has, for whoever takes that to compare; else liblzma has. */
  bool has_crc32;
  uint32_t crc32;
};

static uint32_t little_endian(const uint8_t *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/*
 * Where a file of one block has the CRC-32 of its content: before the index, which says that there is one block. NULL for any other file.
 * What is read here is only believed once liblzma has found the index and the footer to fit what it decoded.
 *   header   fd '7' 'z' 'X' 'Z' 00 | 00 | 01: CRC-32 | …   then the block, and its CRC-32
 *   index    00 | 01: one block | …
 *   footer   u32 checksum | u32 size of the index / 4 - 1 | 00 01 | 'Y' 'Z'
 */
static const uint8_t *stored_crc32(const uint8_t *bytes, size_t length) {
  enum { HEADER = 12, FOOTER = 12, CRC = 4 };
  if (length < HEADER + FOOTER || bytes[7] != 1) return NULL;
  const size_t before_footer = length - FOOTER;
  const size_t index = ((size_t)little_endian(bytes + before_footer + 4) + 1) * 4;
  if (index > before_footer - HEADER || before_footer - index < HEADER + CRC) return NULL;
  const uint8_t *at = bytes + before_footer - index;
  return at[0] == 0 && at[1] == 1 ? at - CRC : NULL;
}

/* The first `length` bytes of a file → the block's input; false when it has fewer, or cannot be read. */
static bool read_input(struct block *block, const char *path, size_t length) {
  if (length > block->input_capacity) {
    uint8_t *input = realloc(block->input, length);
    if (input == NULL) return false;
    block->input = input;
    block->input_capacity = length;
  }
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  size_t done = 0;
  while (done < length) {
    ssize_t count = read(fd, block->input + done, length - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    done += (size_t)count;
  }
  close(fd);
  return done == length;
}

static void run(struct job *job) {
  struct xz_job *it = (struct xz_job *)job;
  it->out = nothing_yet();
  if (it->out.refusal != NULL) return;
  if (!read_input(it->out.block, it->path, it->length)) {
    it->out.refusal = "unreadable";
    return;
  }
  const uint8_t *input = it->out.block->input;
  /* A twentieth of the time would go into a CRC-32 by tables; Node's zlib has the processor's instructions for it. */
  const uint8_t *stored = stored_crc32(input, it->length);
  decode(&it->out, input, it->length, it->max_bytes, stored == NULL ? 0 : LZMA_IGNORE_CHECK);
  it->has_crc32 = stored != NULL;
  if (stored != NULL) it->crc32 = little_endian(stored);
}

/* { bytes, crc32 }, without the second where it has been compared; or why there are none. */
static napi_value answer(napi_env env, struct job *job) {
  struct xz_job *it = (struct xz_job *)job;
  bool is_refused = it->out.refusal != NULL;
  napi_value bytes = hand_over(env, &it->out);
  if (bytes == NULL || is_refused) return bytes;
  napi_value object = NULL;
  if (napi_create_object(env, &object) != napi_ok) return NULL;
  if (napi_set_named_property(env, object, "bytes", bytes) != napi_ok) return NULL;
  return !it->has_crc32 || set_number(env, object, "crc32", it->crc32) ? object : NULL;
}

static void release(struct job *job) {
  struct xz_job *it = (struct xz_job *)job;
  free(it->path);
  block_give_back(it->out.block);
  free(it);
}

static napi_value xz_decode_file(napi_env env, napi_callback_info info) {
  napi_value values[3];
  int64_t length = 0;
  int64_t max = 0;
  char *path = NULL;
  if (!arguments_read(env, info, "xzDecodeFile", 3, values)) return NULL;
  if (!argument_integer(env, values[1], "xzDecodeFile", "sizeBytes", 0, INPUT_MAX_BYTES, &length)) return NULL;
  if (!argument_integer(env, values[2], "xzDecodeFile", "maxBytes", 1, OUTPUT_MAX_BYTES, &max)) return NULL;
  if (!argument_text(env, values[0], "xzDecodeFile", "file", PATH_MAX - 1, &path)) return NULL;
  struct xz_job *it = liblzma() != NULL ? calloc(1, sizeof(*it)) : NULL;
  if (it == NULL) {
    free(path);
    return no_library(env);
  }
  it->job = (struct job){.run = run, .answer = answer, .release = release, .computes = true};
  it->path = path;
  it->length = (size_t)length;
  it->max_bytes = (size_t)max;
  return job_start(env, &it->job);
}

/*
 * xzGiveBack(bytes) → true when they lay in a block of ours, which is used again from now on, for what is decoded next; the Buffer has none
 * any more. Left to the engine this happens a turn or more later, and as many blocks as files are decoded by then are made anew.
 */
static napi_value xz_give_back(napi_env env, napi_callback_info info) {
  napi_value values[1];
  napi_value buffer = NULL;
  napi_value answer = NULL;
  const uint8_t *bytes = NULL;
  size_t length = 0;
  if (!arguments_read(env, info, "xzGiveBack", 1, values)) return NULL;
  if (!argument_bytes(env, values[0], "xzGiveBack", "bytes", &bytes, &length)) return NULL;
  struct block *block = length == 0 ? NULL : loan_end(NULL, bytes);
  /* Nobody may read what the next file is written to. */
  if (block != NULL && (napi_get_typedarray_info(env, values[0], NULL, NULL, NULL, &buffer, NULL) != napi_ok ||
                        napi_detach_arraybuffer(env, buffer) != napi_ok)) {
    return NULL;
  }
  block_give_back(block);
  return napi_get_boolean(env, block != NULL, &answer) == napi_ok ? answer : NULL;
}

bool lzma_register(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      FUNCTION("xzDecode", xz_decode),
      FUNCTION("xzDecodeFile", xz_decode_file),
      FUNCTION("xzGiveBack", xz_give_back),
  };
  return functions_register(env, exports, functions, sizeof(functions) / sizeof(functions[0]));
}
