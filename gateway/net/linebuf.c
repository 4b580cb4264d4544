/*
 * The buffers between a control connection and the FTP machine: input that has not
 * been consumed, and lines that leave together. Both may hold passwords, so what
 * has been used is wiped.
 */
#include "gateway/net/linebuf.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/net/stream-tls.h"

void inbuf_free(struct inbuf *inbuf)
{
	if (inbuf->bytes != NULL)
		explicit_bzero(inbuf->bytes, inbuf->end);
	free(inbuf->bytes);
	*inbuf = (struct inbuf){ .wider = inbuf->wider };
}

void inbuf_tidy(struct inbuf *inbuf)
{
	size_t len = inbuf_len(inbuf);

	if (inbuf->bytes == NULL || inbuf->start == 0)
		return;
	if (len == 0) {
		bool more = inbuf->more;

		inbuf_free(inbuf);
		inbuf->more = more;
		return;
	}
	memmove(inbuf->bytes, inbuf->bytes + inbuf->start, len);
	explicit_bzero(inbuf->bytes + len, inbuf->end - len); /* wipe moved and consumed bytes */
	inbuf->start = 0;
	inbuf->end = len;
}

static int make_room(struct inbuf *inbuf, size_t size)
{
	uint8_t *bytes;

	if (inbuf->bytes != NULL && inbuf->cap >= size)
		return 0;
	bytes = malloc(size);
	if (bytes == NULL)
		return -ENOMEM;
	if (inbuf->bytes != NULL) {
		memcpy(bytes, inbuf->bytes, inbuf->end);
		explicit_bzero(inbuf->bytes, inbuf->end);
		free(inbuf->bytes);
	}
	inbuf->bytes = bytes;
	inbuf->cap = size;
	return 0;
}

enum stream_io inbuf_fill(struct inbuf *inbuf, struct stream *stream)
{
	size_t size = inbuf_size(inbuf);
	enum stream_io io = STREAM_OK;
	size_t len;

	if (make_room(inbuf, size) < 0)
		return STREAM_RESET;
	while (inbuf->end < size) {
		io = stream_read(stream, inbuf->bytes + inbuf->end, size - inbuf->end, &len);
		if (io != STREAM_OK)
			break;
		inbuf->end += len;
		/*
		 * The socket is empty: another read would only cost a system call, and later
		 * bytes raise an event.
		 */
		if (inbuf->end < size && (!stream_has_layer(stream) || !stream_tls_has_pending(stream))) {
			io = STREAM_WAIT;
			break;
		}
	}
	inbuf->more = io == STREAM_OK;
	if (inbuf->end == 0) {
		free(inbuf->bytes);
		inbuf->bytes = NULL;
		inbuf->cap = 0;
	}
	return io;
}

void outbuf_flush(struct outbuf *outbuf, struct stream *stream)
{
	if (outbuf->len > 0 && stream_is_open(stream))
		(void)stream_write(stream, outbuf->bytes, outbuf->len); /* the next read sees a fault */
	explicit_bzero(outbuf->bytes, outbuf->len);
	outbuf->len = 0;
}

void outbuf_flush_last(struct outbuf *outbuf, struct stream *stream)
{
	if (outbuf->len > 0 && stream_is_open(stream))
		(void)stream_write_last(stream, outbuf->bytes, outbuf->len); /* as above */
	explicit_bzero(outbuf->bytes, outbuf->len);
	outbuf->len = 0;
}

void outbuf_add(struct outbuf *outbuf, struct stream *stream, const char *text, size_t len, bool line_ends)
{
	if (outbuf->len + len + 2 > sizeof(outbuf->bytes))
		outbuf_flush(outbuf, stream);
	assert(len + 2 <= sizeof(outbuf->bytes));
	memcpy(outbuf->bytes + outbuf->len, text, len);
	outbuf->len += len;
	if (!line_ends)
		return;
	memcpy(outbuf->bytes + outbuf->len, "\r\n", 2);
	outbuf->len += 2;
}
