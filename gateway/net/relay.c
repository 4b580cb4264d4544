/*
 * Moves the bytes of one transfer, a chunk a step. relay_step() looks at the
 * destination first, then moves, then carries the end over, then waits for the
 * acknowledgement of a download. Where neither side has TLS in user space, bytes
 * are spliced and never copied.
 */
#include "gateway/net/relay.h"

#include <fcntl.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "gateway/net/netsock.h"
#include "gateway/net/stream-gssapi.h"

/* The chunk at the beginning, and the smallest one, which is the only one under GSSAPI: it encrypts slowly.
 */
#define RELAY_CHUNK_INITIAL (256 * 1024)
#define RELAY_CHUNK_MIN	    (64 * 1024)
/* A file up to this size is read until its end is seen, which then leaves together with the bytes. */
#define RELAY_SMALL (64 * 1024)
/* Reads in one step: a TLS record may hold a single byte. */
#define GATHER_READS 128
/* Turns that the end waits for the control connection. If its owner cannot read it, the end goes on. */
#define REFUSALS_MAX 8
/* The most that one splice moves, and the size of the pipe. */
#define RELAY_SPLICE_BYTES (512 * 1024)

_Static_assert(STREAM_WIRE_BYTES <= RELAY_CHUNK_MAX &&
		   RELAY_CHUNK_MAX <= sizeof(((struct relay_tools *)0)->scratch),
	       "a chunk fits");

void relay_init(struct relay *relay, struct stream *client, struct stream *server, bool upload, bool doubt)
{
	*relay = (struct relay){
		.from = upload ? client : server,
		.to = upload ? server : client,
		.upload = upload,
		.doubt = doubt,
		.chunk = RELAY_CHUNK_INITIAL,
		.chunk_most = RELAY_CHUNK_MAX,
	};
	if (stream_has_gssapi(client))
		relay->chunk = relay->chunk_most = RELAY_CHUNK_MIN;
	coalesce_start(&relay->coalesce, client->loop->now_ms);
}

/*
 * The destination sends no data, but its direction must be read: for a reset, for
 * messages of TLS, for its end. Data from it is a fault.
 */
static bool back_channel_ok(struct relay *relay)
{
	uint8_t byte;
	size_t len;

	if (relay->to_ended)
		return true;
	switch (stream_read(relay->to, &byte, sizeof(byte), &len)) {
	case STREAM_WAIT:
		return true;
	case STREAM_CLEAN:
	case STREAM_TRUNCATED:
		relay->to_ended = true;
		return true;
	case STREAM_OK:
	case STREAM_RESET:
		return false;
	}
	return false;
}

static enum relay_result wait_for(struct relay *relay, uint32_t from_want, uint32_t to_want)
{
	/* Without the watch (no memory) the relay would wait for ever. */
	if (loop_watch(relay->from->loop, &relay->from->watch, from_want) < 0)
		return RELAY_FROM_LOST;
	if (!relay->to_ended)
		to_want |= EPOLLIN;
	if (loop_watch(relay->to->loop, &relay->to->watch, to_want) < 0)
		return RELAY_TO_LOST;
	return RELAY_WAIT;
}

/* Fill the scratch buffer. In the clear, a short read means that only the end may follow. */
static enum stream_io gather(struct relay *relay, uint8_t *scratch, size_t size, size_t *ret_len)
{
	struct stream *from = relay->from;
	enum stream_io io = STREAM_OK;
	size_t len = 0, n;

	for (int reads = 0; io == STREAM_OK && len < size && reads < GATHER_READS; reads++) {
		io = stream_read(from, scratch + len, size - len, &n);
		if (io != STREAM_OK)
			break;
		len += n;
		if (!stream_has_layer(from) && len < size && relay->bytes + len > RELAY_SMALL)
			io = STREAM_WAIT;
	}
	*ret_len = len;
	return io;
}

/* May the source's end be carried over? Once it may, that remains so: a part of it may have left. */
static bool may_end(struct relay *relay)
{
	if (relay->awaits_word)
		return false;
	if (relay->may_end == NULL)
		return true;
	if (relay->refused < REFUSALS_MAX && !relay->may_end(relay->control, relay->unread, relay->upload)) {
		relay->refused++;
		return false;
	}
	relay->may_end = NULL;
	return true;
}

/*
 * Does the connection end in the middle of a file? Of an empty one, some servers send no block at all; a
 * client that ends its connection before an upload has sent none, either.
 */
static bool is_unfinished(const struct relay *relay, size_t len)
{
	return ftp_frame_is_cut(&relay->frame) && (relay->upload || relay->bytes + len > 0);
}

/* Has the file ended in this round or before, and nobody was told? After ABOR or a failure, only the
 * connection's end counts. */
static bool has_ended(const struct relay *relay)
{
	return relay->frame.ended && !relay->kept && !relay->doubt;
}

/* What comes after the file belongs to the next one. */
static void follow(struct relay *relay, const uint8_t *bytes, size_t len)
{
	size_t of_file = ftp_frame_pass(&relay->frame, bytes, len);

	if (relay->ahead != NULL)
		ftp_frame_pass_ahead(relay->ahead, relay->frame.mode, bytes + of_file, len - of_file);
}

/*
 * One round of reading and writing. The result is that of reading; *ret_to is that of the writing. Small
 * files and the beginning of large ones go the way that costs least for a few bytes.
 */
static enum stream_io move_some(struct relay *relay, struct relay_tools *tools, size_t *ret_len,
				enum stream_io *ret_to)
{
	bool small = relay->bytes <= RELAY_SMALL;
	enum stream_io io;

	if (!small && !ftp_frame_is_followed(&relay->frame) && !stream_has_layer(relay->from) &&
	    stream_writes_plain(relay->to) && tools->pipe[0] != -1)
		return stream_splice(relay->from, relay->to, tools->pipe, RELAY_SPLICE_BYTES, ret_len,
				     ret_to);
	if (!stream_has_layer(relay->from))
		io = gather(relay, tools->scratch, relay->chunk, ret_len);
	else if (small || stream_has_gssapi(relay->from))
		io = gather(relay, tools->scratch, RELAY_SMALL, ret_len);
	else
		io = stream_tls_read_wire(relay->from, &tools->wire, relay->chunk, tools->scratch,
					  sizeof(tools->scratch), ret_len);
	*ret_to = STREAM_OK;
	follow(relay, tools->scratch, *ret_len);
	if (*ret_len > 0 && io == STREAM_CLEAN && !relay->doubt && !is_unfinished(relay, *ret_len) &&
	    may_end(relay))
		*ret_to = stream_write_last(relay->to, tools->scratch, *ret_len);
	else if (*ret_len > 0)
		*ret_to = stream_write(relay->to, tools->scratch, *ret_len);
	return io;
}

/* Larger chunks for a destination that takes all of them; smaller ones when records are small and slow. */
static void fit_chunk(struct relay *relay, enum stream_io io, size_t len)
{
	if (!stream_is_drained(relay->to) || (io == STREAM_OK && len < relay->chunk / 8))
		relay->chunk /= 2;
	else if (len >= relay->chunk / 2)
		relay->chunk *= 2;
	if (relay->chunk < RELAY_CHUNK_MIN)
		relay->chunk = RELAY_CHUNK_MIN;
	if (relay->chunk > relay->chunk_most)
		relay->chunk = relay->chunk_most;
}

/*
 * Carry over no orderly end. A client gets all bytes of the source before it loses its connection. A
 * server only loses it: a part of a file is of no use to it.
 */
static enum relay_result fail(struct relay *relay)
{
	enum stream_io to;

	if (relay->upload)
		return RELAY_ABORTED;
	to = stream_flush(relay->to);
	relay->state = RELAY_FAILING;
	if (to == STREAM_WAIT)
		return wait_for(relay, 0, EPOLLOUT);
	return to == STREAM_RESET ? RELAY_TO_LOST : RELAY_FROM_LOST;
}

static enum relay_result move(struct relay *relay, struct relay_tools *tools)
{
	enum stream_io io, to;
	size_t len;

	if (!relay->kept)
		coalesce_look(&relay->coalesce, relay->from->watch.fd, relay->from->loop->now_ms,
			      relay->bytes);
	if (!stream_is_drained(relay->to)) {
		to = stream_flush(relay->to);
		if (to == STREAM_WAIT)
			return wait_for(relay, 0, EPOLLOUT);
		if (to == STREAM_RESET)
			return RELAY_TO_LOST;
	}
	io = move_some(relay, tools, &len, &to);
	if (to != STREAM_OK)
		return RELAY_TO_LOST;
	relay->bytes += len;
	fit_chunk(relay, io, len);
	if (io != STREAM_CLEAN &&
	    has_ended(relay)) { /* what else the round has found, the next one finds, too */
		coalesce_stop(&relay->coalesce, relay->from->watch.fd);
		relay->state = RELAY_MARKING;
		return RELAY_AGAIN;
	}
	switch (io) {
	case STREAM_OK:
		return stream_is_drained(relay->to) ? RELAY_AGAIN : wait_for(relay, 0, EPOLLOUT);
	case STREAM_WAIT:
		return wait_for(relay, EPOLLIN, stream_is_drained(relay->to) ? 0 : EPOLLOUT);
	case STREAM_CLEAN:
		if (relay->doubt && !relay->kept) /* the file before is there */
			return fail(relay);
		if (is_unfinished(relay, 0))
			return RELAY_UNFINISHED;
		coalesce_stop(&relay->coalesce, relay->from->watch.fd);
		relay->state = RELAY_ENDING;
		return RELAY_AGAIN;
	case STREAM_TRUNCATED:
		return relay->doubt ? fail(relay) : RELAY_CUT;
	case STREAM_RESET:
		break;
	}
	return RELAY_FROM_LOST;
}

/* Nothing more comes but the word. The source's side gets our end: some servers wait for that first. */
static enum relay_result await_word(struct relay *relay)
{
	enum stream_io to = stream_flush(relay->to);

	if (!relay->from->finishing)
		(void)stream_finish(relay->from);
	if (to == STREAM_RESET)
		return RELAY_TO_LOST;
	return wait_for(relay, stream_is_drained(relay->from) ? 0 : EPOLLOUT,
			to == STREAM_WAIT ? EPOLLOUT : 0);
}

/*
 * The source has ended in order: carry that over, once all bytes are out. What its side
 * has said on the control connection counts first, since it may say that the transfer
 * has failed.
 */
static enum relay_result end(struct relay *relay)
{
	if ((relay->may_end != NULL || relay->awaits_word) && relay->doubt)
		return fail(relay);
	if (relay->awaits_word)
		return await_word(relay);
	if (!may_end(relay))
		return stream_is_drained(relay->to) ? RELAY_AGAIN : wait_for(relay, 0, EPOLLOUT);
	/* a client may wait for our close_notify first, and some servers take its lack for a failure */
	if ((relay->upload || stream_has_layer(relay->from)) && !relay->from->finishing)
		(void)stream_finish(relay->from);
	switch (stream_finish(relay->to)) {
	case STREAM_OK:
		break;
	case STREAM_WAIT:
		return wait_for(relay, 0, EPOLLOUT);
	case STREAM_CLEAN:
	case STREAM_TRUNCATED:
	case STREAM_RESET:
		return RELAY_TO_LOST;
	}
	relay->state = RELAY_SETTLING;
	return RELAY_AGAIN;
}

/*
 * A download has arrived when the client's TCP has acknowledged all of it; for an
 * upload the server's reply counts.
 */
static enum relay_result settle(struct relay *relay)
{
	if (relay->upload || netsock_unacknowledged(relay->to->watch.fd) == 0)
		return RELAY_DONE;
	/* once the stream is no longer read, a reset raises no event and leaves the count as it is */
	if (relay->to_ended && netsock_is_reset(relay->to->watch.fd))
		return RELAY_TO_LOST;
	if (wait_for(relay, 0, 0) != RELAY_WAIT)
		return RELAY_TO_LOST;
	return RELAY_SETTLE;
}

/* The file is over when all of it has arrived, as at the connection's end. */
static enum relay_result mark(struct relay *relay)
{
	enum stream_io to = stream_flush(relay->to);

	if (to == STREAM_RESET)
		return RELAY_TO_LOST;
	if (to == STREAM_WAIT)
		return wait_for(relay, 0, EPOLLOUT);
	if (!relay->upload && netsock_unacknowledged(relay->to->watch.fd) > 0)
		return wait_for(relay, 0, 0) == RELAY_WAIT ? RELAY_SETTLE : RELAY_TO_LOST;
	relay->kept = true;
	relay->may_end = NULL;
	relay->state = RELAY_MOVING;
	return RELAY_FILE_ENDED;
}

void relay_tools_init(struct relay_tools *tools)
{
	if (pipe2(tools->pipe, O_NONBLOCK | O_CLOEXEC) == -1) {
		tools->pipe[0] = tools->pipe[1] = -1;
		return;
	}
	(void)fcntl(tools->pipe[1], F_SETPIPE_SZ, RELAY_SPLICE_BYTES); /* a smaller pipe works, too */
}

void relay_tools_done(struct relay_tools *tools)
{
	fd_close(&tools->pipe[0]);
	fd_close(&tools->pipe[1]);
}

enum relay_result relay_step(struct relay *relay, struct relay_tools *tools)
{
	enum relay_result result = RELAY_AGAIN;

	if (!back_channel_ok(relay))
		return RELAY_TO_LOST;
	if (relay->state == RELAY_FAILING)
		return fail(relay);
	if (relay->state == RELAY_MOVING)
		result = move(relay, tools);
	if (relay->state == RELAY_MARKING)
		return mark(relay);
	if (relay->state == RELAY_ENDING)
		result = end(relay);
	if (relay->state == RELAY_SETTLING)
		result = settle(relay);
	return result;
}
