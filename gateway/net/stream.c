/*
 * One connection: reading, writing, splicing and closing. Where a stream has a
 * layer, its bytes go through that. Here are the queue for what the kernel does
 * not take, and the order in which it ends: all bytes, close_notify, FIN.
 */
#include "gateway/net/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "gateway/net/netsock.h"

/* Dropped in one call, so that a flood does not hold the loop. */
#define DROP_MAX (64 * 1024)

void stream_init(struct stream *stream, struct loop *loop, watch_fn *fn)
{
	*stream = (struct stream){ .loop = loop, .outq.lent = &loop->lent };
	watch_init(&stream->watch, fn);
}

/* As new, but keeps what its owner has set. */
static void stream_forget(struct stream *stream)
{
	bool bulk = stream->watch.bulk;

	stream_init(stream, stream->loop, stream->watch.fn);
	stream->watch.bulk = bulk;
}

void stream_adopt(struct stream *stream, int *fd)
{
	stream->watch.fd = fd_take(fd);
}

void stream_adopt_guarded(struct stream *stream, int *fd)
{
	stream_adopt(stream, fd);
	stream->guarded = true;
}

/* From here on, all that the peer is still to get is in the kernel's hands. */
static void unguard(struct stream *stream)
{
	if (stream->guarded)
		netsock_fin_on_close(stream->watch.fd);
	stream->guarded = false;
}

/*
 * Send as much as the kernel takes; *ret_sent is set in any case. A kernel that
 * takes less has no more room. Where the end follows at once, MSG_MORE makes the
 * last segment wait for it.
 */
static enum stream_io send_some(struct stream *stream, const uint8_t *bytes, size_t len, size_t *ret_sent)
{
	/* the kernel's TLS would leave a record unfinished */
	int flags = MSG_NOSIGNAL | (stream->finishing && !stream->kernel_encrypts ? MSG_MORE : 0);
	ssize_t n;

	*ret_sent = 0;
	do {
		n = send(stream->watch.fd, bytes, len, flags);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return errno == EAGAIN || errno == EWOULDBLOCK ? STREAM_WAIT : STREAM_RESET;
	*ret_sent = (size_t)n;
	return *ret_sent == len ? STREAM_OK : STREAM_WAIT;
}

static void finish_if_drained(struct stream *stream)
{
	if (!stream->finishing || stream->finished || !stream_is_drained(stream))
		return;
	stream->finished = true;
	unguard(stream);
	/* While the socket is full the kernel's TLS keeps a record back, and FIN would overtake it.
	 * close_notify is enough for most peers, the others get FIN with the close(). */
	if (stream->kernel_encrypts)
		return;
	(void)shutdown(stream->watch.fd, SHUT_WR); /* fails only when the connection is gone */
}

/* The end of a read that brought nothing: n is what the call returned, errno as it left it. */
static enum stream_io read_ended(struct stream *stream, ssize_t n)
{
	if (n == 0) {
		stream->saw_fin = true;
		return STREAM_CLEAN;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return STREAM_WAIT;
	stream->saw_reset = true;
	return STREAM_RESET;
}

bool stream_writes_plain(const struct stream *stream)
{
	return !stream_has_layer(stream) || stream->tx_clear || stream->kernel_encrypts;
}

/* The kernel has taken all bytes: close_notify is next, as soon as there is room for it. */
static enum stream_io flush_notify(struct stream *stream)
{
	enum stream_io io = stream->layer->notify(stream);

	stream->notify_pending = io == STREAM_WAIT;
	return io;
}

enum stream_io stream_flush(struct stream *stream)
{
	struct outq *outq = &stream->outq;
	enum stream_io io = STREAM_OK;
	size_t sent;

	if (stream->saw_reset)
		return STREAM_RESET;
	if (!outq_is_empty(outq)) {
		io = send_some(stream, outq_at(outq), outq_len(outq), &sent);
		outq_use(outq, sent);
	}
	if (io == STREAM_OK && outq->bytes != NULL)
		outq_free(outq);
	if (io == STREAM_OK && stream->notify_pending)
		io = flush_notify(stream);
	if (io == STREAM_RESET)
		stream->saw_reset = true;
	if (io == STREAM_WAIT)
		outq_shrink(&stream->outq);
	finish_if_drained(stream);
	return io;
}

enum stream_io stream_read(struct stream *stream, uint8_t *buf, size_t size, size_t *ret_len)
{
	ssize_t n;

	if (stream_has_layer(stream))
		return stream->layer->read(stream, buf, size, ret_len);
	do {
		n = recv(stream->watch.fd, buf, size, 0);
	} while (n == -1 && errno == EINTR);
	if (n > 0) {
		*ret_len = (size_t)n;
		return STREAM_OK;
	}
	return read_ended(stream, n);
}

/* The pipe must be empty again: queue what is in it. */
static int pipe_to_outq(struct outq *outq, int fd, size_t len)
{
	uint8_t bytes[16 * 1024];
	int r = 0;

	while (len > 0 && r == 0) {
		ssize_t n = read(fd, bytes, len < sizeof(bytes) ? len : sizeof(bytes));

		if (n <= 0)
			return -EIO; /* cannot happen: the pipe holds this much */
		r = outq_add(outq, bytes, (size_t)n);
		len -= (size_t)n;
	}
	return r;
}

enum stream_io stream_splice(struct stream *from, struct stream *to, const int pipe[static 2], size_t size,
			     size_t *ret_len, enum stream_io *ret_to)
{
	ssize_t n, sent;
	size_t left;

	*ret_len = 0;
	*ret_to = STREAM_OK;
	do {
		n = splice(from->watch.fd, NULL, pipe[1], NULL, size, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	} while (n == -1 && errno == EINTR);
	if (n <= 0)
		return read_ended(from, n);
	*ret_len = left = (size_t)n;
	while (left > 0) {
		sent = splice(pipe[0], NULL, to->watch.fd, NULL, left, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
		if (sent == -1 && errno != EAGAIN && errno != EINTR)
			to->saw_reset = true;
		if (sent <= 0)
			break;
		left -= (size_t)sent;
	}
	if (left > 0 && pipe_to_outq(&to->outq, pipe[0], left) < 0)
		to->saw_reset = true;
	outq_shrink(&to->outq);
	if (to->saw_reset)
		*ret_to = STREAM_RESET;
	return STREAM_OK;
}

enum stream_io stream_drop(struct stream *stream, size_t *ret_len)
{
	uint8_t bytes[4096];
	ssize_t n;

	*ret_len = 0;
	do {
		n = recv(stream->watch.fd, bytes, sizeof(bytes), 0);
		if (n > 0)
			*ret_len += (size_t)n;
	} while ((n > 0 && *ret_len < DROP_MAX) || (n == -1 && errno == EINTR));
	if (n == 0)
		stream->saw_fin = true;
	if (n >= 0)
		return n == 0 ? STREAM_CLEAN : STREAM_WAIT;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return STREAM_WAIT;
	stream->saw_reset = true;
	return STREAM_RESET;
}

enum stream_io stream_write(struct stream *stream, const uint8_t *bytes, size_t len)
{
	enum stream_io io;
	size_t sent = 0;

	if (!stream_is_open(stream) || stream->saw_reset)
		return STREAM_RESET;
	if (!stream_writes_plain(stream)) {
		io = stream->layer->write(stream, bytes, len);
		if (io != STREAM_OK)
			return io;
		return stream_flush(stream) == STREAM_RESET ? STREAM_RESET : STREAM_OK;
	}
	if (stream_is_drained(stream)) {
		io = send_some(stream, bytes, len, &sent);
		if (io == STREAM_RESET) {
			stream->saw_reset = true;
			return STREAM_RESET;
		}
	}
	if (sent < len && outq_add(&stream->outq, bytes + sent, len - sent) < 0)
		return STREAM_RESET;
	outq_shrink(&stream->outq);
	return STREAM_OK;
}

enum stream_io stream_write_last(struct stream *stream, const uint8_t *bytes, size_t len)
{
	if (!stream_is_open(stream) || stream->saw_reset)
		return STREAM_RESET;
	if (!stream_writes_plain(stream))
		return stream->layer->write(stream, bytes, len);
	return outq_add(&stream->outq, bytes, len) < 0 ? STREAM_RESET : STREAM_OK;
}

enum stream_io stream_finish(struct stream *stream)
{
	if (!stream->finishing && stream_has_layer(stream) && stream->tls_up && !stream->tx_clear) {
		/* the kernel's goes out after the queue, OpenSSL's into it; the flush sees what fails */
		stream->notify_pending = stream->kernel_encrypts;
		if (!stream->notify_pending)
			(void)stream->layer->notify(stream);
	}
	stream->finishing = true;
	return stream_flush(stream);
}

enum stream_io stream_cut(struct stream *stream)
{
	stream->finishing = true;
	return stream_flush(stream);
}

void stream_close(struct stream *stream, bool reset)
{
	if (!stream_is_open(stream))
		return;
	loop_unwatch(stream->loop, &stream->watch);
	if (!reset)
		unguard(stream);
	else if (!stream->guarded)
		netsock_reset_on_close(stream->watch.fd);
	if (stream_has_layer(stream))
		stream->layer->free(stream);
	outq_free(&stream->outq);
	fd_close(&stream->watch.fd);
	stream_forget(stream);
}

void stream_move(struct stream *from, struct stream *to, watch_fn *fn)
{
	loop_unwatch(from->loop, &from->watch);
	*to = *from;
	watch_init(&to->watch, fn);
	to->watch.fd = from->watch.fd;
	if (stream_has_layer(to))
		to->layer->moved(to);
	stream_forget(from);
}
