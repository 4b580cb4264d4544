/*
 * Data connections under AUTH GSSAPI (RFC 2228): a layer of blocks, each a token of the
 * session's security context. The end of a file is a token without bytes; a
 * connection that ends without it is STREAM_TRUNCATED.
 */
#ifndef ATTLSD_GATEWAY_NET_STREAM_GSSAPI_H
#define ATTLSD_GATEWAY_NET_STREAM_GSSAPI_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/gssapi/context.h"
#include "gateway/net/stream.h"

struct stream_gssapi_setup {
	struct gssapi_context *context; /* borrowed: until the stream is closed or moved */
	bool seal;			/* PROT E and P: encrypt. Otherwise PROT S */
	bool receives;			/* an upload: nothing is sent, not even an end */
	size_t token_max;		/* PBSZ */
};

/* Put the layer on an open stream in the clear. Returns 0 or a negative errno. */
int stream_gssapi_start(struct stream *stream, const struct stream_gssapi_setup *setup);

/* Was a block not what the client has protected, or not the next one? */
bool stream_gssapi_has_failed(const struct stream *stream);

/* Is the stream's layer this one? */
static inline bool stream_has_gssapi(const struct stream *stream)
{
	return stream->gssapi != NULL;
}

#endif
