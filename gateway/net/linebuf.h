/*
 * Bytes of control connections: received ones that are not used up yet, and
 * lines that wait to be sent together.
 */
#ifndef ATTLSD_GATEWAY_NET_LINEBUF_H
#define ATTLSD_GATEWAY_NET_LINEBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/net/stream.h"

/* Received bytes of one control connection. No memory while empty. */
struct window {
	uint8_t *bytes;
	size_t start, end;
	bool more; /* it was full when it was last filled: the stream may have more inside */
};

/* Holds the longest line of either side twice over. */
#define WINDOW_BYTES 8448

static inline size_t window_len(const struct window *window)
{
	return window->end - window->start;
}

static inline const uint8_t *window_at(const struct window *window)
{
	return window->bytes + window->start;
}

static inline void window_use(struct window *window, size_t len)
{
	window->start += len;
}

static inline bool window_has_room(const struct window *window)
{
	return window_len(window) < WINDOW_BYTES;
}

/* Read what is there. STREAM_OK: the window is full; STREAM_WAIT: epoll tells when there is more, or the end.
 */
enum stream_io window_fill(struct window *window, struct stream *stream);

/* Give an empty window's memory back; make room at the end of another one. Moves the bytes. */
void window_tidy(struct window *window);

/* Drop everything. What was in it may have been a password: it is wiped. */
void window_free(struct window *window);

/* What one event can have to say to a client or a server before it is flushed. */
#define LINES_BYTES (16 * 1024)

/* Lines on their way to one leg; filled and flushed within one event, so that one reply is one segment. */
struct lines {
	size_t len;
	uint8_t bytes[LINES_BYTES];
};

/* Add a text and CRLF; flushes first when there is no room. len is below LINES_BYTES - 2. */
void lines_add(struct lines *lines, struct stream *stream, const char *text, size_t len);

/* Send what is there. A broken stream is noticed when it is read. */
void lines_flush(struct lines *lines, struct stream *stream);

/* The same for the last ones: they leave in one segment with what stream_finish() sends. */
void lines_flush_last(struct lines *lines, struct stream *stream);

#endif
