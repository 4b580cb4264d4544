/*
 * Cuts a stream of bytes into the blocks that protected data have. The buffer holds several
 * blocks, so that small ones do not cost a system call each.
 */
#include "gateway/gssapi/blocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Room for the longest block, and for as much again. */
#define READ_AHEAD (32 * 1024)

int gssapi_blocks_init(struct gssapi_blocks *blocks, size_t token_max)
{
	size_t size = GSSAPI_BLOCK_HEAD + token_max + READ_AHEAD;

	*blocks = (struct gssapi_blocks){ .bytes = malloc(size), .size = size, .token_max = token_max };
	return blocks->bytes == NULL ? -ENOMEM : 0;
}

void gssapi_blocks_done(struct gssapi_blocks *blocks)
{
	free(blocks->bytes);
	*blocks = (struct gssapi_blocks){ .bytes = NULL };
}

uint8_t *gssapi_blocks_room(struct gssapi_blocks *blocks, size_t *ret_room)
{
	size_t len = blocks->end - blocks->start;

	if (blocks->start > 0)
		memmove(blocks->bytes, blocks->bytes + blocks->start, len);
	blocks->start = 0;
	blocks->end = len;
	*ret_room = blocks->size - len; /* what is left is less than a block */
	return blocks->bytes + len;
}

int gssapi_blocks_next(struct gssapi_blocks *blocks, uint8_t **ret_token, size_t *ret_len)
{
	const uint8_t *head = blocks->bytes + blocks->start;
	size_t have = blocks->end - blocks->start;
	size_t len = 0;

	if (have < GSSAPI_BLOCK_HEAD)
		return 0;
	for (size_t i = 0; i < GSSAPI_BLOCK_HEAD; i++)
		len = len << 8 | head[i];
	if (len == 0)
		return -EBADMSG;
	if (len > blocks->token_max)
		return -EMSGSIZE;
	if (have < GSSAPI_BLOCK_HEAD + len)
		return 0;
	*ret_token = blocks->bytes + blocks->start + GSSAPI_BLOCK_HEAD;
	*ret_len = len;
	blocks->start += GSSAPI_BLOCK_HEAD + len;
	return 1;
}

void gssapi_blocks_head(uint8_t head[static GSSAPI_BLOCK_HEAD], size_t len)
{
	for (size_t i = 0; i < GSSAPI_BLOCK_HEAD; i++)
		head[i] = (uint8_t)(len >> 8 * (GSSAPI_BLOCK_HEAD - 1 - i));
}
