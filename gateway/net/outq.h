/*
 * Bytes on their way out that the kernel has not taken yet. The buffer is lent
 * by the loop, or made to measure while the peer is slow, so an idle connection
 * holds nothing. A caller waits until the queue is empty before it produces
 * more, so its size is bounded by what one relay step or one reply makes.
 */
#ifndef ATTLSD_GATEWAY_NET_OUTQ_H
#define ATTLSD_GATEWAY_NET_OUTQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outq {
	uint8_t *bytes;
	size_t start, end, cap;
	uint8_t **lent; /* the place of the buffer that queues lend each other; NULL: there is none */
};

static inline bool outq_is_empty(const struct outq *outq)
{
	return outq->start == outq->end;
}

static inline size_t outq_len(const struct outq *outq)
{
	return outq->end - outq->start;
}

static inline const uint8_t *outq_at(const struct outq *outq)
{
	return outq->bytes + outq->start;
}

/* The first `len` bytes are sent. */
static inline void outq_use(struct outq *outq, size_t len)
{
	outq->start += len;
}

/* Returns 0, -ENOMEM or -ENOBUFS; then nothing is added. */
int outq_add(struct outq *outq, const uint8_t *bytes, size_t len);

/* The peer is slow: what is left moves to a buffer of its size, so that the large one is there for others. */
void outq_shrink(struct outq *outq);

/* Drop everything; small contents, which may be a password, are wiped. */
void outq_free(struct outq *outq);

#endif
