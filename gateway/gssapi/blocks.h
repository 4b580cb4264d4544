/*
 * Data connections under RFC 2228 (3, PROT): blocks of four bytes of length, the
 * highest first, and a token. Bytes go in as they come, tokens come out whole.
 */
#ifndef ATTLSD_GATEWAY_GSSAPI_BLOCKS_H
#define ATTLSD_GATEWAY_GSSAPI_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#define GSSAPI_BLOCK_HEAD 4

struct gssapi_blocks {
	uint8_t *bytes;
	size_t start, end, size;
	size_t token_max; /* PBSZ */
};

/* Returns 0 or -ENOMEM. */
int gssapi_blocks_init(struct gssapi_blocks *blocks, size_t token_max);
void gssapi_blocks_done(struct gssapi_blocks *blocks);

/* Where the next bytes go. The place of a token is over with this call. Never without room. */
uint8_t *gssapi_blocks_room(struct gssapi_blocks *blocks, size_t *ret_room);
static inline void gssapi_blocks_add(struct gssapi_blocks *blocks, size_t len)
{
	blocks->end += len;
}

/*
 * The next token, which may be changed in its place. Returns 1, 0 (more bytes are
 * needed), -EBADMSG (a length of 0, which stands for nothing) or -EMSGSIZE (above PBSZ).
 */
int gssapi_blocks_next(struct gssapi_blocks *blocks, uint8_t **ret_token, size_t *ret_len);

/* Write the head of a block. */
void gssapi_blocks_head(uint8_t head[static GSSAPI_BLOCK_HEAD], size_t len);

#endif
