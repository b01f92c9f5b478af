/*
 * liblzma, opened on the first use so that nothing else depends on it being there. The few declarations here are its public ABI
 * (liblzma.so.5, lzma/base.h and lzma/container.h), which has not changed since 5.0; having them means that building needs no header package.
 */
#ifndef USHERD_LIBLZMA_H
#define USHERD_LIBLZMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
#define LZMA_IGNORE_CHECK UINT32_C(0x10)
#define LZMA_FINISH 3

struct liblzma {
  int (*stream_decoder)(lzma_stream *, uint64_t, uint32_t);
  int (*code)(lzma_stream *, int);
  void (*end)(lzma_stream *);
};

/* Its functions; NULL where there is no such library. Opened once for the process, whichever worker asks first. */
const struct liblzma *liblzma(void);

#endif
