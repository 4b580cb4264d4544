#include "gateway/net/linebuf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/net/stream-tls.h"

void window_free(struct window *window)
{
	if (window->bytes != NULL)
		explicit_bzero(window->bytes, window->end);
	free(window->bytes);
	*window = (struct window){ .bytes = NULL };
}

void window_tidy(struct window *window)
{
	size_t len = window_len(window);

	if (window->bytes == NULL || window->start == 0)
		return;
	if (len == 0) {
		bool more = window->more;

		window_free(window);
		window->more = more;
		return;
	}
	memmove(window->bytes, window->bytes + window->start, len);
	explicit_bzero(window->bytes + len, window->end - len); /* what has moved, or is used up */
	window->start = 0;
	window->end = len;
}

enum stream_io window_fill(struct window *window, struct stream *stream)
{
	enum stream_io io = STREAM_OK;
	size_t len;

	if (window->bytes == NULL) {
		window->bytes = malloc(WINDOW_BYTES);
		if (window->bytes == NULL)
			return STREAM_RESET;
	}
	while (window->end < WINDOW_BYTES) {
		io = stream_read(stream, window->bytes + window->end, WINDOW_BYTES - window->end, &len);
		if (io != STREAM_OK)
			break;
		window->end += len;
		/* All that was there: asking once more would cost a system call to be told so. What has come
		 * meanwhile raises an event. */
		if (window->end < WINDOW_BYTES && (stream->ssl == NULL || !stream_tls_has_pending(stream))) {
			io = STREAM_WAIT;
			break;
		}
	}
	window->more = io == STREAM_OK;
	if (window->end == 0) {
		free(window->bytes);
		window->bytes = NULL;
	}
	return io;
}

void lines_flush(struct lines *lines, struct stream *stream)
{
	if (lines->len > 0 && stream_is_open(stream))
		(void)stream_write(stream, lines->bytes,
				   lines->len); /* a broken stream is seen when it is read */
	explicit_bzero(lines->bytes, lines->len);
	lines->len = 0;
}

void lines_flush_last(struct lines *lines, struct stream *stream)
{
	if (lines->len > 0 && stream_is_open(stream))
		(void)stream_write_last(stream, lines->bytes, lines->len); /* as above */
	explicit_bzero(lines->bytes, lines->len);
	lines->len = 0;
}

void lines_add(struct lines *lines, struct stream *stream, const char *text, size_t len)
{
	if (lines->len + len + 2 > sizeof(lines->bytes))
		lines_flush(lines, stream);
	assert(len + 2 <= sizeof(lines->bytes));
	memcpy(lines->bytes + lines->len, text, len);
	memcpy(lines->bytes + lines->len + len, "\r\n", 2);
	lines->len += len + 2;
}
