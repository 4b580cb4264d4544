/* Ciphertext on its way from a socket into OpenSSL, and how much of it one turn of the loop may take. */
#ifndef ATTLSD_GATEWAY_NET_STREAM_INTAKE_H
#define ATTLSD_GATEWAY_NET_STREAM_INTAKE_H

#include <stddef.h>
#include <sys/types.h>

#include "gateway/net/stream.h"

/*
 * Ciphertext of a bulk transfer on its way into OpenSSL, many records at once.
 * (OpenSSL's own read-ahead moves its whole buffer to the front for every record,
 * so a large one costs more than it saves.) It is empty before and after each call
 * that uses it, so all streams of a process share one.
 */
#define STREAM_WIRE_BYTES (512 * 1024)
struct stream_wire {
	uint8_t bytes[STREAM_WIRE_BYTES];
	size_t start, end;
	size_t max;	/* to ask the kernel for */
	bool may_fill;	/* once in a call */
	bool exhausted; /* the kernel has nothing more now */
};

/*
 * As recv() for OpenSSL's BIO, but goes on after a signal, and notes the end of the stream. -1 with EAGAIN
 * also if this stream has had its share of the turn.
 */
ssize_t intake_read(struct stream *stream, void *buf, size_t size);

/* Until intake_end(), read through `wire`: what is left from the last time, or up to `max` bytes anew. */
void intake_begin(struct stream *stream, struct stream_wire *wire, size_t max);

/* Keep what was not read, in memory of the stream, so that `wire` is empty. Returns 0 or -ENOMEM. */
int intake_end(struct stream *stream);

/* The stream ends. */
void intake_drop_rest(struct stream *stream);

#endif
