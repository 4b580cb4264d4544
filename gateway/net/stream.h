/*
 * One TCP connection, in the clear or under TLS, as a byte stream.
 *
 * Reading distinguishes three ends, and everything above depends on that: CLEAN
 * (FIN; under TLS close_notify), TRUNCATED (FIN without close_notify) and RESET.
 * Writing always takes everything: what the kernel has no room for is queued, and
 * the caller must stop producing until stream_is_drained().
 */
#ifndef ATTLSD_GATEWAY_NET_STREAM_H
#define ATTLSD_GATEWAY_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/loop.h"
#include "gateway/net/outq.h"

struct ssl_st;
struct stream;
struct stream_gssapi;
struct stream_ktls;
struct stream_rest;
struct stream_wire;

enum stream_io {
	STREAM_OK = 0,
	STREAM_WAIT,	  /* nothing now; epoll reports more */
	STREAM_CLEAN,	  /* the peer has ended in order */
	STREAM_TRUNCATED, /* the peer ended TCP without ending TLS */
	STREAM_RESET,	  /* reset, or an error that makes the connection useless */
};

/*
 * A layer that protects a connection. A stream calls it through this table, since
 * stream.c does not know stream-tls.c.
 */
struct stream_layer {
	/* As stream_read(). */
	enum stream_io (*read)(struct stream *stream, uint8_t *buf, size_t size, size_t *ret_len);
	/* Put all of it into the queue, protected. STREAM_OK or STREAM_RESET. */
	enum stream_io (*write)(struct stream *stream, const uint8_t *bytes, size_t len);
	/* Send close_notify. STREAM_OK, STREAM_RESET, or STREAM_WAIT where the kernel encrypts and has no
	 * room. */
	enum stream_io (*notify)(struct stream *stream);
	void (*moved)(struct stream *stream); /* the struct has a new address */
	void (*free)(struct stream *stream);  /* in the clear from here on */
};

struct stream {
	struct watch watch; /* watch.fd is the socket; its fn is the owner's */
	struct loop *loop;
	const struct stream_layer *layer; /* NULL: in the clear */
	struct ssl_st *ssl;		  /* of TLS; NULL where it is not the layer */
	struct stream_gssapi *gssapi;	  /* the same of GSSAPI */
	/* Gets the peer's next ClientHello, with the header of the handshake message, once. NULL: nobody
	 * asks. */
	void (*on_hello)(struct stream *stream, const uint8_t *bytes, size_t len);
	struct stream_wire *wire; /* while stream_tls_read_wire() reads */
	struct stream_ktls *ktls; /* the kernel may take over our direction of TLS, or has */
	bool kernel_encrypts;	  /* it has: bytes are written to the socket as they are */
	bool tls_up;		  /* the handshake is done; always with GSSAPI */
	bool tx_clear;		  /* our direction has left TLS (CCC), the peer's may not have yet */
	bool closing_tls;	  /* the peer's last TLS record has begun to arrive, see stream_tls_leave() */
	bool finishing;		  /* shut the write side down once drained */
	bool finished;		  /* done */
	bool notify_pending;	  /* close_notify waits for room in the socket (kTLS) */
	bool guarded;		  /* the kernel resets it when the process dies */
	bool saw_fin;		  /* of TCP, below TLS */
	bool saw_reset;
	uint8_t nodata_records;	  /* TLS messages that brought no data, in the turn that began at */
	uint64_t nodata_ms;	  /* this time */
	uint64_t read_turn;	  /* the loop's turn in which OpenSSL read last, and */
	uint32_t turn_reads;	  /* how often and */
	uint32_t turn_bytes;	  /* how much in this turn */
	uint8_t alert;		  /* the last fatal alert of TLS; see stream_alert_fatal() */
	bool alert_ours;	  /* we have sent it */
	bool alert_seen;	  /* there was one */
	uint32_t shake_records;	  /* of the peer, in the handshake */
	struct stream_rest *rest; /* ciphertext that stream_tls_read_wire() had no time for; NULL: none */
	struct outq outq;
};

void stream_init(struct stream *stream, struct loop *loop, watch_fn *fn);

/* Take a connected (or connecting) socket. *fd is set to -1. */
void stream_adopt(struct stream *stream, int *fd);

/*
 * The same for a socket that netsock_reset_on_close() has been called on before it could
 * connect. If this process dies, the peer gets RST and takes nothing for whole. Only the
 * orderly end, stream_finish() or stream_close(), takes that back.
 */
void stream_adopt_guarded(struct stream *stream, int *fd);

static inline bool stream_is_open(const struct stream *stream)
{
	return stream->watch.fd != -1;
}

/* Does something protect it? True from the beginning of the handshake on. */
static inline bool stream_has_layer(const struct stream *stream)
{
	return stream->layer != NULL;
}

/* Has everything been handed to the kernel? */
static inline bool stream_is_drained(const struct stream *stream)
{
	return outq_is_empty(&stream->outq) && !stream->notify_pending;
}

/*
 * Read up to size bytes. STREAM_OK sets *ret_len > 0. Under TLS one call
 * returns one record at most: call again until STREAM_WAIT, since bytes inside
 * the TLS engine raise no event.
 */
enum stream_io stream_read(struct stream *stream, uint8_t *buf, size_t size, size_t *ret_len);

/*
 * Read and drop what the socket has, below TLS: for a connection of which only the
 * end matters. *ret_len is what was dropped. STREAM_WAIT, STREAM_CLEAN
 * (FIN) or STREAM_RESET.
 */
enum stream_io stream_drop(struct stream *stream, size_t *ret_len);

/* Are bytes written to the socket as they are? In the clear, and where the kernel does TLS. */
bool stream_writes_plain(const struct stream *stream);

/*
 * From a clear stream to one that writes plain bytes without a copy, through a pipe that is empty
 * before and afterwards: what the kernel does not take is queued. Up to size bytes;
 * the result is that of the read, as in stream_read(); *ret_to is that of the write.
 */
enum stream_io stream_splice(struct stream *from, struct stream *to, const int pipe[static 2], size_t size,
			     size_t *ret_len, enum stream_io *ret_to);

/* Write all of it, queueing what does not fit. STREAM_OK or STREAM_RESET (also: no memory). */
enum stream_io stream_write(struct stream *stream, const uint8_t *bytes, size_t len);

/*
 * The same for what is known to be the last: it waits for stream_finish(), so that
 * it leaves in one segment with the end. STREAM_OK or STREAM_RESET.
 */
enum stream_io stream_write_last(struct stream *stream, const uint8_t *bytes, size_t len);

/* Send what is queued. STREAM_OK: drained; STREAM_WAIT; STREAM_RESET. */
enum stream_io stream_flush(struct stream *stream);

/*
 * End our direction in order: close_notify under TLS, then FIN as soon as
 * everything is out (now or in a later stream_flush()).
 */
enum stream_io stream_finish(struct stream *stream);

/*
 * The same without close_notify: under TLS, the peer sees that something is missing. In
 * the clear, it cannot see this.
 */
enum stream_io stream_cut(struct stream *stream);

/* Close at once. reset: with RST, so that the peer takes nothing for whole. NULL-safe on a closed stream. */
void stream_close(struct stream *stream, bool reset);

/* Move an open stream with all its state to another owner; `from` is closed afterwards. */
void stream_move(struct stream *from, struct stream *to, watch_fn *fn);

#endif
