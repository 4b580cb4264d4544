#include "gateway/net/linebuf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/net/stream-tls.h"

void inbuf_free(struct inbuf *window)
{
	if (window->bytes != NULL)
		explicit_bzero(window->bytes, window->end);
	free(window->bytes);
	*window = (struct inbuf){ .bytes = NULL };
}

void inbuf_tidy(struct inbuf *window)
{
	size_t len = inbuf_len(window);

	if (window->bytes == NULL || window->start == 0)
		return;
	if (len == 0) {
		bool more = window->more;

		inbuf_free(window);
		window->more = more;
		return;
	}
	memmove(window->bytes, window->bytes + window->start, len);
	explicit_bzero(window->bytes + len, window->end - len); /* what has moved, or is used up */
	window->start = 0;
	window->end = len;
}

enum stream_io inbuf_fill(struct inbuf *window, struct stream *stream)
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

void outbuf_flush(struct outbuf *lines, struct stream *stream)
{
	if (lines->len > 0 && stream_is_open(stream))
		(void)stream_write(stream, lines->bytes,
				   lines->len); /* a broken stream is seen when it is read */
	explicit_bzero(lines->bytes, lines->len);
	lines->len = 0;
}

void outbuf_flush_last(struct outbuf *lines, struct stream *stream)
{
	if (lines->len > 0 && stream_is_open(stream))
		(void)stream_write_last(stream, lines->bytes, lines->len); /* as above */
	explicit_bzero(lines->bytes, lines->len);
	lines->len = 0;
}

void outbuf_add(struct outbuf *lines, struct stream *stream, const char *text, size_t len)
{
	if (lines->len + len + 2 > sizeof(lines->bytes))
		outbuf_flush(lines, stream);
	assert(len + 2 <= sizeof(lines->bytes));
	memcpy(lines->bytes + lines->len, text, len);
	memcpy(lines->bytes + lines->len + len, "\r\n", 2);
	lines->len += len + 2;
}
