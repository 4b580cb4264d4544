/*
 * Bytes of control connections: received ones that have not been consumed, and
 * lines that wait to be sent together.
 */
#ifndef ATTLSD_GATEWAY_NET_LINEBUF_H
#define ATTLSD_GATEWAY_NET_LINEBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/net/stream.h"

/* Received bytes of one control connection. No memory while empty. */
struct inbuf {
	uint8_t *bytes;
	size_t start, end;
	size_t cap;	/* bytes that `bytes` has room for */
	uint32_t wider; /* bytes that it may hold; 0: INBUF_BYTES */
	bool more;	/* the last fill stopped because it was full: the stream may hold more */
};

/* Holds the longest line of either side twice over. */
#define INBUF_BYTES 8448

static inline size_t inbuf_len(const struct inbuf *inbuf)
{
	return inbuf->end - inbuf->start;
}

static inline const uint8_t *inbuf_at(const struct inbuf *inbuf)
{
	return inbuf->bytes + inbuf->start;
}

static inline void inbuf_use(struct inbuf *inbuf, size_t len)
{
	inbuf->start += len;
}

static inline size_t inbuf_size(const struct inbuf *inbuf)
{
	return inbuf->wider != 0 ? inbuf->wider : INBUF_BYTES;
}

static inline bool inbuf_has_room(const struct inbuf *inbuf)
{
	return inbuf_len(inbuf) < inbuf_size(inbuf);
}

/* From the next fill on it may hold `size` bytes, if that is more. */
static inline void inbuf_widen(struct inbuf *inbuf, uint32_t size)
{
	inbuf->wider = size > INBUF_BYTES ? size : 0;
}

/* Read what is there. STREAM_OK: the buffer is full; STREAM_WAIT: epoll reports more bytes, or the end. */
enum stream_io inbuf_fill(struct inbuf *inbuf, struct stream *stream);

/* Free the memory of an empty buffer; otherwise move the bytes to the front, to make room at the end. */
void inbuf_tidy(struct inbuf *inbuf);

/* Drop and wipe everything, since it may be a password. */
void inbuf_free(struct inbuf *inbuf);

/* How many bytes one event can send to a client or a server before a flush. */
#define OUTBUF_BYTES (16 * 1024)

/* Lines to one end; filled and flushed within one event, so that one reply is one segment. */
struct outbuf {
	size_t len;
	uint8_t bytes[OUTBUF_BYTES];
};

/* Add a text, and CRLF if it ends its line; flush first when there is no room. len is below
 * OUTBUF_BYTES - 2. */
void outbuf_add(struct outbuf *outbuf, struct stream *stream, const char *text, size_t len, bool line_ends);

/* Send what is there. The next read reports a broken stream. */
void outbuf_flush(struct outbuf *outbuf, struct stream *stream);

/* The same for the last lines: they leave in one segment with what stream_finish() sends. */
void outbuf_flush_last(struct outbuf *outbuf, struct stream *stream);

#endif
