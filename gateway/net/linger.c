/*
 * The list of connections that are about to close. Each one has a timer and ends
 * when its peer does, when the time is up, or when the peer sends too much.
 */
#include "gateway/net/linger.h"

#include <stdlib.h>
#include <utlist.h>

#include "gateway/base/util.h"

#define LINGER_MS	2000
#define LINGER_HURRY_MS 200
#define LINGER_RESET_MS 200
/* How many bytes a peer may still send before it is closed at once. */
#define LINGER_READ_MAX (64 * 1024)

struct linger {
	struct stream stream;
	struct timer timer;
	struct deferred deferred;
	struct linger_list *list;
	bool reset; /* it ends with a reset; nothing more is sent or read */
	size_t read;
	struct linger *next, *prev;
};

static void linger_free(struct deferred *deferred)
{
	free(CONTAINER_OF(deferred, struct linger, deferred));
}

static void linger_end(struct linger *linger)
{
	struct linger_list *list = linger->list;

	/* a line or a file that is out in part must not seem to end there */
	stream_close(&linger->stream, linger->reset || !stream_is_drained(&linger->stream));
	loop_timer_stop(list->loop, &linger->timer);
	DL_DELETE(list->head, linger);
	list->n--;
	loop_defer_free(list->loop, &linger->deferred);
	if (list->n == 0 && list->on_empty != NULL)
		list->on_empty(list);
}

static void on_timer(struct timer *timer)
{
	linger_end(CONTAINER_OF(timer, struct linger, timer));
}

static void on_event(struct watch *watch, uint32_t ready)
{
	struct linger *linger = CONTAINER_OF(watch, struct linger, stream.watch);
	enum stream_io io;
	size_t len;

	(void)ready;
	if (stream_flush(&linger->stream) == STREAM_RESET) {
		linger_end(linger);
		return;
	}
	/* Below TLS: a close_notify ends TLS, but only FIN shows that the peer has read everything. */
	io = stream_drop(&linger->stream, &len);
	linger->read += len;
	if (io != STREAM_WAIT || linger->read > LINGER_READ_MAX ||
	    loop_watch(linger->list->loop, watch,
		       EPOLLIN | (stream_is_drained(&linger->stream) ? 0 : EPOLLOUT)) < 0)
		linger_end(linger);
}

/* The entry that has taken the stream over. NULL: there is no room, and the stream is closed. */
static struct linger *adopt(struct linger_list *list, struct stream *from, bool reset)
{
	struct linger *linger = list->n < list->max ? calloc(1, sizeof(*linger)) : NULL;

	if (linger == NULL) {
		stream_close(from, reset || !stream_is_drained(from)); /* as in linger_end() */
		return NULL;
	}
	linger->list = list;
	linger->reset = reset;
	linger->deferred.fn = linger_free;
	timer_init(&linger->timer, on_timer);
	stream_move(from, &linger->stream, on_event);
	DL_APPEND(list->head, linger);
	list->n++;
	return linger;
}

void linger_take(struct linger_list *list, struct stream *from)
{
	linger_take_for(list, from, LINGER_MS);
}

void linger_take_for(struct linger_list *list, struct stream *from, uint64_t limit_ms)
{
	struct linger *linger;

	if (!stream_is_open(from))
		return;
	if (from->saw_reset || (from->saw_fin && stream_is_drained(from))) {
		stream_close(from, false);
		return;
	}
	linger = adopt(list, from, false);
	if (linger == NULL)
		return;
	if (loop_timer(list->loop, &linger->timer, list->hurry ? LINGER_HURRY_MS : limit_ms) < 0 ||
	    loop_watch(list->loop, &linger->stream.watch,
		       EPOLLIN | (stream_is_drained(&linger->stream) ? 0 : EPOLLOUT)) < 0)
		linger_end(linger);
}

void linger_reset(struct linger_list *list, struct stream *from)
{
	struct linger *linger = stream_is_open(from) ? adopt(list, from, true) : NULL;

	if (linger != NULL && loop_timer(list->loop, &linger->timer, LINGER_RESET_MS) < 0)
		linger_end(linger);
}

void linger_hurry(struct linger_list *list)
{
	struct linger *linger;

	list->hurry = true;
	DL_FOREACH (list->head, linger)
		(void)loop_timer(list->loop, &linger->timer,
				 LINGER_HURRY_MS); /* armed already: cannot fail */
}

void linger_done(struct linger_list *list)
{
	while (list->head != NULL)
		linger_end(list->head);
}
