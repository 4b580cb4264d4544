/*
 * The queue of one stream's unsent bytes, and the one large buffer that all
 * queues of a process lend each other. A peer that reads as fast as we write
 * therefore costs no allocation, and a slow one only what it has not taken.
 */
#include "gateway/net/outq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OUTQ_MIN 4096
/* Far above what any caller can leave in it: only a caller that writes without draining gets here. */
#define OUTQ_MAX (4 * 1024 * 1024)

/* Up to this size the queue may be a control connection's, with a password in it. */
#define OUTQ_WIPED_MAX (64 * 1024)

/*
 * The buffer that queues lend each other holds what one relay step makes: half
 * a mebibyte as TLS records. It stays hot in the cache, and nothing is
 * allocated as long as the kernel takes everything at once.
 */
#define OUTQ_LENT_BYTES (544 * 1024)

void outq_free(struct outq *outq)
{
	if (outq->bytes != NULL && outq->end <= OUTQ_WIPED_MAX)
		explicit_bzero(outq->bytes, outq->end);
	if (outq->cap == OUTQ_LENT_BYTES && outq->lent != NULL && *outq->lent == NULL)
		*outq->lent = outq->bytes;
	else
		free(outq->bytes);
	*outq = (struct outq){ .lent = outq->lent };
}

/* Move what is queued to a larger or smaller buffer. */
static int rebase(struct outq *outq, size_t cap)
{
	struct outq fresh = { .end = outq->end - outq->start, .cap = cap, .lent = outq->lent };

	if (cap > OUTQ_MAX)
		return -ENOBUFS;
	if (cap == OUTQ_LENT_BYTES && outq->lent != NULL && *outq->lent != NULL) {
		fresh.bytes = *outq->lent;
		*outq->lent = NULL;
	} else {
		fresh.bytes = malloc(cap);
	}
	if (fresh.bytes == NULL)
		return -ENOMEM;
	if (fresh.end > 0)
		memcpy(fresh.bytes, outq->bytes + outq->start, fresh.end);
	outq_free(outq);
	*outq = fresh;
	return 0;
}

int outq_add(struct outq *outq, const uint8_t *bytes, size_t len)
{
	size_t need = outq->end + len;
	size_t cap = OUTQ_LENT_BYTES;
	int r;

	if (need > outq->cap) {
		while (cap < need)
			cap *= 2;
		r = rebase(outq, cap);
		if (r < 0)
			return r;
	}
	memcpy(outq->bytes + outq->end, bytes, len);
	outq->end += len;
	return 0;
}

void outq_shrink(struct outq *outq)
{
	size_t left = outq_len(outq);

	/* without memory it stays where it is */
	if (left > 0 && outq->cap >= OUTQ_LENT_BYTES && left <= OUTQ_LENT_BYTES / 2)
		(void)rebase(outq, left > OUTQ_MIN ? left : OUTQ_MIN);
}
