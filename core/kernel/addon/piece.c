/*
 * A piece of a file that is appended to: its length, its CRC-32 and its bytes go to the kernel in one call, so that whoever waits for it
 * waits for one call. Readers tell a piece that was cut off by its length and one that was torn by its sum.
 */
#include "addon.h"

#include <errno.h>
#include <pthread.h>
#include <sys/uio.h>

/* The polynomial of IEEE 802.3, lowest bit first. */
#define CRC32_POLYNOMIAL UINT32_C(0xedb88320)
/* Length and sum, 32 bits each, little-endian. */
#define HEADER_BYTES 8
/* Largest payload and farthest offset: more than any file of pieces has, and within off_t everywhere. */
#define PAYLOAD_MAX_BYTES (UINT32_C(1) << 30)
#define OFFSET_MAX_BYTES (INT64_C(1) << 30)

static uint32_t crc32_table[256];
static pthread_once_t crc32_once = PTHREAD_ONCE_INIT;

static void make_crc32_table(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t sum = byte;
    for (int bit = 0; bit < 8; bit++) sum = (sum >> 1) ^ ((sum & 1) != 0 ? CRC32_POLYNOMIAL : 0);
    crc32_table[byte] = sum;
  }
}

/* CRC-32 as zlib, gzip and Ethernet have it. */
static uint32_t crc32_of(const uint8_t *bytes, size_t length) {
  uint32_t sum = UINT32_MAX;
  for (size_t i = 0; i < length; i++) sum = (sum >> 8) ^ crc32_table[(sum ^ bytes[i]) & 0xff];
  return ~sum;
}

static void put_u32(uint8_t *out, uint32_t number) {
  for (int i = 0; i < 4; i++) out[i] = (uint8_t)(number >> (8 * i));
}

/*
 * writePiece(fd, offsetBytes, payload) → bytes written, the header among them, or a negative error number. A write that was cut short is
 * -ENOSPC, as the rest would be; what it left is no piece.
 */
static napi_value write_piece(napi_env env, napi_callback_info info) {
  napi_value values[3];
  int64_t fd = 0;
  int64_t offset = 0;
  const uint8_t *payload = NULL;
  size_t length = 0;
  if (!arguments_read(env, info, "writePiece", 3, values) ||
      !argument_integer(env, values[0], "writePiece", "fd", 0, INT32_MAX, &fd) ||
      !argument_integer(env, values[1], "writePiece", "offsetBytes", 0, OFFSET_MAX_BYTES, &offset) ||
      !argument_bytes(env, values[2], "writePiece", "payload", &payload, &length))
    return NULL;
  if (length > PAYLOAD_MAX_BYTES) return negative_errno(env, EFBIG);
  uint8_t header[HEADER_BYTES];
  put_u32(header, (uint32_t)length);
  put_u32(header + 4, crc32_of(payload, length));
  struct iovec parts[] = {
      {.iov_base = header, .iov_len = sizeof(header)},
      /* The kernel only reads from it. */
      {.iov_base = (void *)(uintptr_t)payload, .iov_len = length},
  };
  ssize_t written = pwritev((int)fd, parts, 2, (off_t)offset);
  if (written < 0) return negative_errno(env, errno);
  if ((size_t)written != sizeof(header) + length) return negative_errno(env, ENOSPC);
  return number_of(env, written);
}

bool piece_register(napi_env env, napi_value exports) {
  if (pthread_once(&crc32_once, make_crc32_table) != 0) return false;
  const napi_property_descriptor functions[] = {FUNCTION("writePiece", write_piece)};
  return functions_register(env, exports, functions, sizeof(functions) / sizeof(functions[0]));
}
