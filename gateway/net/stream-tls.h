/*
 * TLS on a stream. Only this module and stream-ktls drive an SSL object.
 *
 * OpenSSL reads and writes through a BIO of our own. A read goes straight to the
 * socket, for as much as OpenSSL asks for, so a control connection is never read
 * past the current record, which AUTH and CCC rely on. A write goes to the
 * stream's output queue, so that many records leave in one system call.
 */
#ifndef ATTLSD_GATEWAY_NET_STREAM_TLS_H
#define ATTLSD_GATEWAY_NET_STREAM_TLS_H

#include "gateway/net/stream-intake.h"
#include "gateway/net/stream.h"
#include "policy/ftp-action.h"

/*
 * Put a new SSL (now the stream's) on an open stream. kernel: the kernel
 * may take over what it can once the handshake is done. Returns 0 or -ENOMEM (ssl is freed).
 */
int stream_tls_start(struct stream *stream, struct ssl_st *ssl, bool kernel);

/*
 * Go on with the handshake. STREAM_OK: done. STREAM_WAIT. STREAM_CLEAN and
 * STREAM_TRUNCATED: the peer went away. STREAM_RESET: it failed, see
 * stream_tls_reason(); an alert has been sent where TLS has one.
 */
enum stream_io stream_tls_handshake(struct stream *stream);

/* Has a whole ClientHello of the peer arrived? */
bool stream_tls_has_begun(const struct stream *stream);

/* Is it TLS 1.3? Known once the ClientHello has been answered. */
bool stream_tls_is_13(const struct stream *stream);

/*
 * Does the peer resume a session of TLS 1.3? The binder in its ClientHello (RFC 8446 4.2.11.2)
 * shows that it, or whoever it has copied that from, holds the session; its Finished proves it.
 */
bool stream_tls_resumes_13(const struct stream *stream);

/*
 * TLS 1.3: send the peer a new session ticket, before the bytes of the next write. False: not
 * possible in this version or without memory, or tickets are switched off.
 */
bool stream_tls_renew_ticket(struct stream *stream);

/* Why the last TLS operation failed, in OpenSSL's words (a certificate that did not verify: with why); static
 * or valid until the next TLS call. */
const char *stream_tls_reason(void);

/* Was that a failure of TLS, and not of the connection below? */
bool stream_tls_has_failed(void);

/* Facts of an established session, for logs. Static strings. */
const char *stream_tls_version(const struct stream *stream);
const char *stream_tls_cipher(const struct stream *stream);
uint16_t stream_tls_cipher_id(const struct stream *stream); /* on the wire; 0: none */
const char *stream_tls_group(const struct stream *stream);  /* of the key exchange; "": none */
/*
 * The protection of a connection: SECURE_CLEAR without TLS, SECURE_SAFE under a
 * cipher that encrypts nothing, SECURE_PRIVATE otherwise.
 */
enum secure_level stream_tls_level(const struct stream *stream);

/*
 * Of a client's connection: the host name that it asked for (SNI), as it sent it; of a resumed
 * session of TLS 1.2 the one that began it. NULL: none, or no TLS. Lives as
 * long as the TLS of the stream.
 */
const char *stream_tls_server_name(const struct stream *stream);

/*
 * The protocol that was agreed on (ALPN), cut off where it has no room. "": none,
 * or no TLS. Returns buf.
 */
#define STREAM_TLS_ALPN_MAX 32
const char *stream_tls_alpn(const struct stream *stream, char buf[static STREAM_TLS_ALPN_MAX]);

/*
 * Of a data connection: decrypt what the socket has, up to `max` bytes on the
 * wire, through `wire`. size: at least STREAM_TLS_READ_WIRE_BYTES. STREAM_OK: there may be
 * more; others as in stream_read(), but *ret_len is set in any case and may be above 0.
 */
#define STREAM_TLS_READ_WIRE_BYTES (STREAM_WIRE_BYTES + 96 * 1024)
enum stream_io stream_tls_read_wire(struct stream *stream, struct stream_wire *wire, size_t max, uint8_t *buf,
				    size_t size, size_t *ret_len);

bool stream_tls_resumed(const struct stream *stream);

/* Does TLS hold bytes that were not handed out? After CCC any such byte is a violation. */
bool stream_tls_has_pending(const struct stream *stream);

/* Queue close_notify. */
void stream_tls_notify(struct stream *stream);

/* Write in the clear from now on, while the peer may still send TLS; see stream_tls_leave(). */
static inline void stream_tls_tx_clear(struct stream *stream)
{
	stream->tx_clear = true;
}

/*
 * After CCC: what does the peer send? Looks at the first byte without consuming
 * it: a TLS record is read until close_notify has arrived, anything else is in the
 * clear. STREAM_OK: TLS is over, the SSL is freed, the stream goes on in the clear;
 * with `answer` the peer's close_notify was answered with ours first. STREAM_WAIT:
 * not decided yet. Others: as in stream_read(); a record with application data is
 * STREAM_RESET.
 */
enum stream_io stream_tls_leave(struct stream *stream, bool answer);

#endif
