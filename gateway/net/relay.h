/*
 * One file's bytes from one stream to another, with the way it ends.
 *
 * relay_step() alone decides what happens next; the owner calls it after every
 * event on either stream and after its timer, and acts on the result.
 */
#ifndef ATTLSD_GATEWAY_NET_RELAY_H
#define ATTLSD_GATEWAY_NET_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/net/coalesce.h"
#include "gateway/net/stream-tls.h"
#include "gateway/net/stream.h"

/*
 * The most that is moved at a time. A larger chunk wakes the source's sender less
 * often, which saves more than the cache misses cost; but commands of other
 * sessions wait for it.
 */
#define RELAY_CHUNK_MAX (512 * 1024)

enum relay_result {
	RELAY_WAIT = 0, /* events were asked for; while coalesce.on, call again after COALESCE_TICK_MS, too */
	RELAY_AGAIN,	/* there is more: call again when others have had their turn */
	RELAY_SETTLE,	/* all is sent and waits for the receiver's acknowledgement: call again on an event
			   or after a little while */
	RELAY_DONE,	/* everything arrived, the end was carried over in order */
	RELAY_FILE_ENDED, /* once: all of the file has arrived, and its connection is still open; later steps
			     pass on what follows, and the connection's end */
	RELAY_CUT,	  /* the source ended TCP without ending TLS */
	RELAY_UNFINISHED, /* it ended the connection before the block that ends the file (MODE B) */
	RELAY_FROM_LOST,  /* the source was reset, or the end of a download is in doubt */
	RELAY_ABORTED,	  /* that of an upload is */
	RELAY_TO_LOST,	  /* the destination was reset, or sent what it must not */
};

enum relay_state {
	RELAY_MOVING = 0,
	RELAY_ENDING,
	RELAY_SETTLING,
	RELAY_MARKING, /* the file has ended, but not its connection */
	RELAY_FAILING, /* the source's end is in doubt: pass on its bytes, but not its end */
};

struct inbuf;

/*
 * The source has ended in order: may its end be carried over now? `control` is the
 * connection on which the source's side speaks, `unread` the bytes of it that its owner has in
 * memory (NULL: none). False: they have to be read first; relay_step() asks again in a
 * later turn.
 */
typedef bool relay_may_end_fn(struct stream *control, const struct inbuf *unread, bool upload);

struct relay {
	struct stream *from;
	struct stream *to;
	bool upload;	  /* from is the client */
	bool doubt;	  /* the source's orderly end does not mean that all is there */
	bool to_ended;	  /* the destination has ended its (unused) direction */
	bool kept;	  /* RELAY_FILE_ENDED was returned */
	bool awaits_word; /* the end waits until the owner clears this, or sets `doubt`, and calls again */
	enum relay_state state;
	relay_may_end_fn *may_end; /* NULL: it said yes, or nobody is asked */
	struct stream *control;
	const struct inbuf *unread;
	uint8_t refused; /* how often may_end said no */
	size_t chunk_most;
	size_t chunk; /* moved at a time, now: what a slow destination does not take costs memory */
	uint64_t bytes;
	struct coalesce coalesce;
	struct ftp_frame frame;
	struct ftp_frame_ahead *ahead; /* of `from`; NULL: nobody asks */
};

/* Both streams are open and, where protected, through their handshake. doubt: as in the struct. */
void relay_init(struct relay *relay, struct stream *client, struct stream *server, bool upload, bool doubt);

/* Ask this before an end is carried over. The control connection and its buffer outlive the relay. */
static inline void relay_ask(struct relay *relay, relay_may_end_fn *may_end, struct stream *control,
			     const struct inbuf *unread)
{
	relay->may_end = may_end;
	relay->control = control;
	relay->unread = unread;
}

/*
 * The bytes may have frames, which tell where the file ends. As ftp_frame_make(). ahead: what the source
 * has sent of the file already, and is going to send of the next ones. It outlives the relay. NULL: the
 * source waits for each command.
 */
static inline void relay_follow(struct relay *relay, char mode, bool strict, struct ftp_frame_ahead *ahead)
{
	relay->ahead = ahead;
	relay->frame = ahead != NULL ? ftp_frame_next(ahead, mode, strict) : ftp_frame_make(mode, strict);
}

/* There is no file, but the connection of the one before in this mode. */
static inline void relay_keep(struct relay *relay, char mode, struct ftp_frame_ahead *ahead)
{
	relay->kept = true;
	relay->ahead = ahead;
	relay->frame = (struct ftp_frame){ .mode = mode, .ended = true };
}

/* The buffers that all relays of a process share; they are empty between two steps. */
struct relay_tools {
	int pipe[2];		 /* for clear bytes; -1: there is none */
	struct stream_wire wire; /* uploads under TLS */
	uint8_t scratch[STREAM_TLS_READ_WIRE_BYTES];
};

/* It works without a pipe, too. */
void relay_tools_init(struct relay_tools *tools);
void relay_tools_done(struct relay_tools *tools);

/* Move a chunk, and ask the loop for the events that are needed next. */
enum relay_result relay_step(struct relay *relay, struct relay_tools *tools);

#endif
