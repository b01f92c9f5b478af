/*
 * Blocks and loans: xz-block.h.
 */
#include "addon.h"
#include "xz-block.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

/* A large page of the processor: room for content comes in whole ones, most modules fit in one, and the kernel hands out each in one go. */
#define LARGE_PAGE_BYTES ((size_t)2 << 20)

/* As many are kept as threads decode at once on a usual machine, and none that a single large module has blown up. */
#define SPARE_BLOCKS_MAX 16U
#define SPARE_BLOCK_MAX_BYTES (8U * 1024U * 1024U)

struct loan {
  struct block *block;
  struct loan *next;
};

/* The mutex is for the loans, too. */
static struct {
  pthread_mutex_t mutex;
  struct block *first;
  unsigned count;
} spare = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static struct loan *loans;

/* Memory of so many large pages, from the beginning of one; NULL when there is none. Not malloc's, which keeps for itself what is freed. */
static uint8_t *large_pages(size_t length) {
  uint8_t *mapped = mmap(NULL, length + LARGE_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return NULL;
  size_t before = LARGE_PAGE_BYTES - ((uintptr_t)mapped & (LARGE_PAGE_BYTES - 1));
  uint8_t *bytes = mapped + before;
  munmap(mapped, before);
  if (before < LARGE_PAGE_BYTES) munmap(bytes + length, LARGE_PAGE_BYTES - before);
  madvise(bytes, length, MADV_HUGEPAGE);
  return bytes;
}

bool block_grow(struct block *block, size_t room) {
  size_t capacity = (room + LARGE_PAGE_BYTES - 1) & ~(LARGE_PAGE_BYTES - 1);
  uint8_t *bytes = large_pages(capacity);
  if (bytes == NULL) return false;
  const int how = MREMAP_MAYMOVE | MREMAP_FIXED;
  if (block->bytes != NULL && mremap(block->bytes, block->capacity, block->capacity, how, bytes) == MAP_FAILED) {
    munmap(bytes, capacity);
    return false;
  }
  block->bytes = bytes;
  block->capacity = capacity;
  return true;
}

static void block_free(struct block *block) {
  if (block == NULL) return;
  liblzma()->end(&block->stream);
  if (block->bytes != NULL) munmap(block->bytes, block->capacity);
  free(block->input);
  free(block);
}

struct block *block_take(void) {
  pthread_mutex_lock(&spare.mutex);
  struct block *block = spare.first;
  if (block != NULL) {
    spare.first = block->next;
    spare.count -= 1;
  }
  pthread_mutex_unlock(&spare.mutex);
  if (block != NULL) return block;
  block = calloc(1, sizeof(*block));
  if (block == NULL) return NULL;
  if (block_grow(block, LARGE_PAGE_BYTES)) return block;
  free(block);
  return NULL;
}

void block_give_back(struct block *block) {
  if (block == NULL) return;
  bool is_kept = false;
  pthread_mutex_lock(&spare.mutex);
  if (block->capacity + block->input_capacity <= SPARE_BLOCK_MAX_BYTES && spare.count < SPARE_BLOCKS_MAX) {
    block->next = spare.first;
    spare.first = block;
    spare.count += 1;
    is_kept = true;
  }
  pthread_mutex_unlock(&spare.mutex);
  if (!is_kept) block_free(block);
}

void blocks_drop_spares(void) {
  pthread_mutex_lock(&spare.mutex);
  struct block *block = spare.first;
  spare.first = NULL;
  spare.count = 0;
  pthread_mutex_unlock(&spare.mutex);
  while (block != NULL) {
    struct block *next = block->next;
    block_free(block);
    block = next;
  }
}

struct loan *loan_of(struct block *block) {
  struct loan *loan = calloc(1, sizeof(*loan));
  if (loan == NULL) return NULL;
  loan->block = block;
  pthread_mutex_lock(&spare.mutex);
  loan->next = loans;
  loans = loan;
  pthread_mutex_unlock(&spare.mutex);
  return loan;
}

struct block *loan_end(const struct loan *loan, const uint8_t *bytes) {
  struct block *block = NULL;
  pthread_mutex_lock(&spare.mutex);
  for (struct loan **at = &loans; *at != NULL; at = &(*at)->next) {
    if (*at != loan && (*at)->block->bytes != bytes) continue;
    block = (*at)->block;
    *at = (*at)->next;
    break;
  }
  pthread_mutex_unlock(&spare.mutex);
  return block;
}
