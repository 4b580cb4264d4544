/*
 * TLS towards the peer in the kernel (kTLS): OpenSSL does the handshake, then gives
 * the keys of our direction to the socket. After that, bytes are written and
 * spliced as on a connection in the clear; OpenSSL still sends alerts and
 * close_notify.
 *
 * Only for what we send: a kernel that receives TLS loses bytes when they are
 * spliced (seen with 6.1.170), raises events for incomplete records, and reads
 * records without data for as long as a peer sends them.
 *
 * The kernel and OpenSSL decide whether the kernel takes the keys (version of TLS,
 * cipher, module `tls` loaded); if not, TLS stays in user space.
 * https://docs.kernel.org/networking/tls.html, SSL_OP_ENABLE_KTLS
 */
#ifndef ATTLSD_GATEWAY_NET_STREAM_KTLS_H
#define ATTLSD_GATEWAY_NET_STREAM_KTLS_H

#include "gateway/net/stream.h"

struct bio_st;

struct stream_ktls {
	struct bio_st *socket; /* OpenSSL's own socket BIO: only that one has the controls for kTLS */
	bool rekeyed;	       /* the peer asked for new keys, which the kernel cannot take: saw_reset */
};

/* Before the handshake, once the stream has its SSL: let the kernel take over. Returns 0 or -ENOMEM.
 * stream_ktls_free() undoes it. */
int stream_ktls_allow(struct stream *stream);

/* The handshake is done: has the kernel taken over? If not, TLS stays in user space. */
void stream_ktls_look(struct stream *stream);

/* NULL-safe. */
void stream_ktls_free(struct stream *stream);

/* A handshake message of the peer (RFC 8446 4): a KeyUpdate that asks for ours breaks the connection. */
void stream_ktls_check(struct stream *stream, const uint8_t *message, size_t len);

/* Send close_notify. STREAM_OK, STREAM_WAIT (no room: call again after EPOLLOUT) or STREAM_RESET. */
enum stream_io stream_ktls_notify(struct stream *stream);

#endif
