/*
 * TLS towards the peer in the kernel (kTLS): OpenSSL shakes hands, then gives the
 * keys of our direction to the socket. From there on bytes are written and spliced
 * as on a connection in the clear; what is not data, alerts and close_notify,
 * OpenSSL still sends.
 *
 * Only what we send: a receiving kernel loses bytes where it is spliced from (seen
 * with 6.1.170), raises events for records that are not complete, and reads records
 * without data for as long as somebody sends them.
 *
 * Whether the kernel takes the keys is its and OpenSSL's matter (version of TLS,
 * cipher, module `tls` loaded); if not, TLS stays in user space.
 * https://docs.kernel.org/networking/tls.html, SSL_OP_ENABLE_KTLS
 */
#ifndef ATTLSD_GATEWAY_NET_STREAM_KTLS_H
#define ATTLSD_GATEWAY_NET_STREAM_KTLS_H

#include "gateway/net/stream.h"

struct bio_st;

struct stream_ktls {
	struct bio_st *socket; /* OpenSSL's own way below TLS: only that one has its controls for kTLS */
	bool rekeyed;	       /* the peer asked for new ones, which the kernel cannot be given: saw_reset */
};

/* Before the handshake, with the SSL in place: the kernel may take over. Returns 0 or -ENOMEM.
 * stream_ktls_free() undoes it. */
int stream_ktls_allow(struct stream *stream);

/* The handshake is done: has the kernel taken over? If not, the stream is as any other again. */
void stream_ktls_look(struct stream *stream);

/* NULL-safe. */
void stream_ktls_free(struct stream *stream);

/* A handshake message of the peer (RFC 8446 4): a KeyUpdate that asks for ours breaks the connection. */
void stream_ktls_check(struct stream *stream, const uint8_t *message, size_t len);

/* Send close_notify. STREAM_OK, STREAM_WAIT (no room: again on EPOLLOUT) or STREAM_RESET. */
enum stream_io stream_ktls_notify(struct stream *stream);

#endif
