/*
 * Reads and writes the blocks of a protected data connection. All messages of a session,
 * commands as well as blocks, have one sequence: if an upload ends without its last
 * token, the ones that are missing could still be put in another place. So the
 * context is broken then, and the session ends with its next command.
 */
#include "gateway/net/stream-gssapi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/gssapi/blocks.h"

struct stream_gssapi {
	struct gssapi_context *context; /* NULL: the session is over */
	bool seal, receives;
	bool ended;   /* the empty token has come */
	bool failed;  /* see stream_gssapi_has_failed() */
	size_t limit; /* bytes of data in a block to send */
	size_t token_max;
	struct gssapi_blocks in;
	uint8_t *plain; /* in the buffer of `in`: what was unwrapped and not read yet */
	size_t plain_len;
	uint8_t *out; /* a block to send */
};

/* Bytes from the socket into the buffer. */
static enum stream_io receive(struct stream *stream)
{
	size_t room;
	uint8_t *at = gssapi_blocks_room(&stream->gssapi->in, &room);
	ssize_t n;

	do {
		n = recv(stream->watch.fd, at, room, 0);
	} while (n == -1 && errno == EINTR);
	if (n > 0) {
		gssapi_blocks_add(&stream->gssapi->in, (size_t)n);
		return STREAM_OK;
	}
	if (n == 0) {
		stream->saw_fin = true;
		return STREAM_TRUNCATED; /* before the empty token */
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return STREAM_WAIT;
	stream->saw_reset = true;
	return STREAM_RESET;
}

static enum stream_io fails(struct stream *stream)
{
	stream->gssapi->failed = true;
	stream->saw_reset = true;
	return STREAM_RESET;
}

/* Take the protection off the next block. STREAM_OK: plain_len is above 0. */
static enum stream_io open_block(struct stream *stream)
{
	struct stream_gssapi *gssapi = stream->gssapi;
	enum stream_io io;
	uint8_t *token;
	size_t len;
	int r;

	while ((r = gssapi_blocks_next(&gssapi->in, &token, &len)) == 0) {
		io = receive(stream);
		if (io != STREAM_OK)
			return io;
	}
	if (r < 0 || gssapi->context == NULL ||
	    gssapi_context_unwrap(gssapi->context, gssapi->seal, token, &len) != GSSAPI_FINE)
		return fails(stream);
	gssapi->plain = token;
	gssapi->plain_len = len;
	gssapi->ended = len == 0;
	return gssapi->ended ? STREAM_CLEAN : STREAM_OK;
}

static enum stream_io gssapi_read(struct stream *stream, uint8_t *buf, size_t size, size_t *ret_len)
{
	struct stream_gssapi *gssapi = stream->gssapi;
	enum stream_io io = STREAM_OK;
	size_t len;

	if (stream->saw_reset)
		return STREAM_RESET;
	if (gssapi->ended)
		return STREAM_CLEAN;
	if (gssapi->plain_len == 0)
		io = open_block(stream);
	if (io != STREAM_OK)
		return io;
	len = gssapi->plain_len < size ? gssapi->plain_len : size;
	memcpy(buf, gssapi->plain, len);
	gssapi->plain += len;
	gssapi->plain_len -= len;
	*ret_len = len;
	return STREAM_OK;
}

/* One block into the queue. */
static enum stream_io put_block(struct stream *stream, const uint8_t *bytes, size_t len)
{
	struct stream_gssapi *gssapi = stream->gssapi;
	size_t token_len;

	if (gssapi->context == NULL ||
	    gssapi_context_wrap(gssapi->context, gssapi->seal, bytes, len, gssapi->out + GSSAPI_BLOCK_HEAD,
				gssapi->token_max, &token_len) != GSSAPI_FINE)
		return STREAM_RESET;
	gssapi_blocks_head(gssapi->out, token_len);
	return outq_add(&stream->outq, gssapi->out, GSSAPI_BLOCK_HEAD + token_len) < 0 ? STREAM_RESET
										       : STREAM_OK;
}

static enum stream_io gssapi_write(struct stream *stream, const uint8_t *bytes, size_t len)
{
	size_t limit = stream->gssapi->limit;
	enum stream_io io = STREAM_OK;

	for (size_t at = 0; at < len && io == STREAM_OK; at += limit)
		io = put_block(stream, bytes + at, len - at < limit ? len - at : limit);
	return io;
}

/* The empty token. A client that uploads expects nothing, and would miss a message in the sequence. */
static enum stream_io gssapi_notify(struct stream *stream)
{
	enum stream_io io = stream->gssapi->receives ? STREAM_OK : put_block(stream, (const uint8_t *)"", 0);

	if (io != STREAM_OK)
		stream->saw_reset = true; /* without this block, the end must not look like one */
	return io;
}

static void lose(struct stream_gssapi *gssapi)
{
	if (gssapi->receives && !gssapi->ended && gssapi->context != NULL)
		gssapi_context_break(gssapi->context);
	gssapi->context = NULL;
}

static void gssapi_moved(struct stream *stream)
{
	lose(stream->gssapi); /* the new owner outlives the session, and only waits for the end */
}

static void gssapi_free(struct stream *stream)
{
	struct stream_gssapi *gssapi = stream->gssapi;

	lose(gssapi);
	gssapi_blocks_done(&gssapi->in);
	free(gssapi->out);
	free(gssapi);
	stream->gssapi = NULL;
	stream->layer = NULL;
	stream->tls_up = false;
}

static const struct stream_layer gssapi_layer = {
	.read = gssapi_read,
	.write = gssapi_write,
	.notify = gssapi_notify,
	.moved = gssapi_moved,
	.free = gssapi_free,
};

int stream_gssapi_start(struct stream *stream, const struct stream_gssapi_setup *setup)
{
	struct stream_gssapi *gssapi = calloc(1, sizeof(*gssapi));

	if (gssapi == NULL)
		return -ENOMEM;
	gssapi->out = malloc(GSSAPI_BLOCK_HEAD + setup->token_max);
	if (gssapi->out == NULL || gssapi_blocks_init(&gssapi->in, setup->token_max) < 0) {
		free(gssapi->out);
		free(gssapi);
		return -ENOMEM;
	}
	gssapi->context = setup->context;
	gssapi->seal = setup->seal;
	gssapi->receives = setup->receives;
	gssapi->token_max = setup->token_max;
	gssapi->limit = gssapi_context_limit(setup->context, setup->seal, setup->token_max);
	stream->gssapi = gssapi;
	stream->layer = &gssapi_layer;
	stream->tls_up = true; /* the layer is ready: its end counts */
	if (gssapi->limit > 0)
		return 0;
	gssapi_free(stream);
	return -EMSGSIZE;
}

bool stream_gssapi_has_failed(const struct stream *stream)
{
	return stream->gssapi != NULL && stream->gssapi->failed;
}
