/*
 * Reads ciphertext for OpenSSL: from the socket, or from the wire buffer of a bulk
 * transfer. Here is the bound on what one peer may have read in one turn of the
 * loop, and the rest of a wire buffer that a step had no time for.
 */
#include "gateway/net/stream-intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct stream_rest {
	size_t len;
	uint8_t bytes[];
};

/*
 * OpenSSL reads until it has a message or data, and a record may hold a single byte of either. So that one
 * peer cannot hold the loop, it gets so many reads in a turn, and before the end of the handshake so many
 * bytes; the next turn goes on, since the socket stays readable.
 */
#define READS_PER_TURN	     64
#define SHAKE_BYTES_PER_TURN (8 * 1024)

/* How much OpenSSL may read from the socket now; 0: no more in this turn. */
static size_t may_read(struct stream *stream, size_t size)
{
	size_t left;

	if (stream->read_turn != stream->loop->turn) {
		stream->read_turn = stream->loop->turn;
		stream->turn_reads = stream->turn_bytes = 0;
	}
	if (++stream->turn_reads > READS_PER_TURN)
		return 0;
	if (stream->tls_up)
		return size;
	left = SHAKE_BYTES_PER_TURN - stream->turn_bytes;
	return size < left ? size : left;
}

/* As recv(), but goes on after a signal. */
static ssize_t socket_read(struct stream *stream, void *buf, size_t size)
{
	ssize_t n;

	do {
		n = recv(stream->watch.fd, buf, size, 0);
	} while (n == -1 && errno == EINTR);
	if (n == 0)
		stream->saw_fin = true;
	else if (n == -1 && errno != EAGAIN && errno != EWOULDBLOCK)
		stream->saw_reset = true;
	return n;
}

/* The same within what OpenSSL may read in a turn. */
static ssize_t bounded_read(struct stream *stream, void *buf, size_t size)
{
	size_t max = may_read(stream, size);
	ssize_t n = -1;

	errno = EAGAIN;
	if (max > 0)
		n = socket_read(stream, buf, max);
	if (n > 0 && !stream->tls_up)
		stream->turn_bytes += (uint32_t)n;
	return n;
}

/* The same from the wire buffer, which may be filled once per call when it is empty. */
static ssize_t wire_read(struct stream *stream, void *buf, size_t size)
{
	struct stream_wire *wire = stream->wire;
	ssize_t n;

	if (wire->start == wire->end) {
		errno = EAGAIN;
		if (!wire->may_fill)
			return -1;
		wire->may_fill = false;
		n = socket_read(stream, wire->bytes, wire->max);
		wire->exhausted = n < (ssize_t)wire->max;
		if (n <= 0)
			return n;
		wire->start = 0;
		wire->end = (size_t)n;
	}
	if (size > wire->end - wire->start)
		size = wire->end - wire->start;
	memcpy(buf, wire->bytes + wire->start, size);
	wire->start += size;
	return (ssize_t)size;
}

ssize_t intake_read(struct stream *stream, void *buf, size_t size)
{
	return stream->wire != NULL ? wire_read(stream, buf, size) : bounded_read(stream, buf, size);
}

void intake_drop_rest(struct stream *stream)
{
	free(stream->rest);
	stream->rest = NULL;
}

void intake_begin(struct stream *stream, struct stream_wire *wire, size_t max)
{
	const struct stream_rest *rest = stream->rest;

	wire->start = wire->end = 0;
	wire->max = max < sizeof(wire->bytes) ? max : sizeof(wire->bytes);
	wire->may_fill = rest == NULL;
	wire->exhausted = false;
	stream->wire = wire;
	if (rest == NULL)
		return;
	memcpy(wire->bytes, rest->bytes, rest->len);
	wire->end = rest->len;
	intake_drop_rest(stream);
}

int intake_end(struct stream *stream)
{
	const struct stream_wire *wire = stream->wire;
	size_t len = wire->end - wire->start;
	struct stream_rest *rest;

	stream->wire = NULL;
	if (len == 0)
		return 0;
	rest = malloc(sizeof(*rest) + len);
	if (rest == NULL)
		return -ENOMEM;
	rest->len = len;
	memcpy(rest->bytes, wire->bytes + wire->start, len);
	stream->rest = rest;
	return 0;
}
