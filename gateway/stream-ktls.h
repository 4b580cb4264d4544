/*
 * TLS of a stream in the kernel (kTLS): OpenSSL shakes hands, then gives the keys
 * of one direction, or of both, to the socket. From there on the bytes of that
 * direction are read, written and spliced as on a connection in the clear, while
 * OpenSSL still reads and sends what is not data: alerts, close_notify.
 *
 * Which directions the kernel takes is its and OpenSSL's matter (version of TLS,
 * cipher, module `tls` loaded): whatever it does not take stays in user space.
 * https://docs.kernel.org/networking/tls.html, SSL_OP_ENABLE_KTLS
 */
#ifndef ATTLSD_GATEWAY_STREAM_KTLS_H
#define ATTLSD_GATEWAY_STREAM_KTLS_H

#include "gateway/stream.h"

struct bio_st;

struct stream_ktls {
	struct bio_st *socket; /* OpenSSL's own way below TLS: only that one has its controls for kTLS */
	bool in, out;	       /* the kernel has the keys of this direction */
	bool engine;	       /* OpenSSL has read records: what it still holds of them comes first */
	bool rekeyed;	       /* the peer has changed its keys, which nobody can follow: saw_reset */
};

/* Before the handshake: may the kernel take over? Returns 0 or -ENOMEM. stream_ktls_free() undoes it. */
int stream_ktls_allow(struct stream *stream);

/* The handshake is done: what has the kernel taken? */
void stream_ktls_look(struct stream *stream);

/* NULL-safe. */
void stream_ktls_free(struct stream *stream);

/* The transport for OpenSSL, as of BIO_meth_set_read_ex() and _write_ex(), where the kernel has that
 * direction. */
bool stream_ktls_has_in(const struct stream *stream);
bool stream_ktls_has_out(const struct stream *stream);
int stream_ktls_bio_read(struct stream *stream, struct bio_st *bio, char *buf, size_t size, size_t *ret_read);
int stream_ktls_bio_write(struct stream *stream, struct bio_st *bio, const char *bytes, size_t len,
			  size_t *ret_written);
long stream_ktls_bio_ctrl(struct stream *stream, int command, long num, void *ptr);

/*
 * A handshake message of the peer (RFC 8446 4): a KeyUpdate that concerns a
 * direction of the kernel's breaks the connection, since OpenSSL cannot tell the kernel.
 */
void stream_ktls_check(struct stream *stream, const uint8_t *message, size_t len);

/* As stream_read(), for a stream that reads plain bytes under TLS. */
enum stream_io stream_ktls_read(struct stream *stream, uint8_t *buf, size_t size, size_t *ret_len);

/* Is the next that it brings for stream_ktls_read() only? errno is that of a splice() that failed. */
bool stream_ktls_is_control(const struct stream *stream, int error);

/*
 * Send close_notify. STREAM_OK, STREAM_WAIT (no room: again on EPOLLOUT) or
 * STREAM_RESET. *ret_fin: may FIN follow at once? Where the socket was nearly full
 * the kernel may keep records back, and FIN would overtake them.
 */
enum stream_io stream_ktls_notify(struct stream *stream, bool *ret_fin);

/* "no", "in", "out" or "both", for the log. */
const char *stream_ktls_name(const struct stream *stream);

#endif
