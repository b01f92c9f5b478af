/*
 * The memory that packed modules are decoded in, and who has it.
 */
#ifndef USHERD_XZ_BLOCK_H
#define USHERD_XZ_BLOCK_H

#include "liblzma.h"

/* Memory for one file and its content, and a decoder with its tables: they are used again, as fresh pages cost a tenth of the decoding. */
struct block {
  uint8_t *bytes;
  size_t capacity;
  /* The packed file, where it is read here. */
  uint8_t *input;
  size_t input_capacity;
  lzma_stream stream;
  struct block *next;
};

/* A block with some room, used before or new; NULL when there is no memory. Only where there is a liblzma. */
struct block *block_take(void);

/* Gives a block room for so much at least, with what it has moved there, not copied; false when there is no memory. */
bool block_grow(struct block *block, size_t room);

/* The block may be another file's from now on; NULL is none. */
void block_give_back(struct block *block);

/* Frees what nobody uses. */
void blocks_drop_spares(void);

/* A block that a Buffer lies in, until the Buffer is collected or says before that it is done with. free() ends it, after loan_end. */
struct loan;

/* NULL when there is no memory. */
struct loan *loan_of(struct block *block);

/* Takes the loan, or the one of a block with those bytes, from the list → its block; NULL where it has been taken back before. */
struct block *loan_end(const struct loan *loan, const uint8_t *bytes);

#endif
