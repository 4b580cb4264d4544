/*
 * The event loop. A turn handles what epoll reports, then the queue, then a slice
 * of time of bulk watches, then the timers that are due, and last the frees that
 * callbacks have deferred.
 */
#include "gateway/base/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <utlist.h>

#include "gateway/base/counters.h"
#include "gateway/base/util.h"

/* The time that bulk watches get in one turn: about one handshake, or half a mebibyte under TLS. */
#define SLICE_US 300

uint64_t loop_clock_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t loop_clock_ms(void)
{
	return loop_clock_us() / 1000;
}

int loop_init(struct loop *loop)
{
	struct epoll_event inner = { .events = EPOLLIN, .data.ptr = &loop->bulk };

	*loop = (struct loop){ .now_ms = loop_clock_ms() };
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->bulk_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd == -1 || loop->bulk_fd == -1 ||
	    epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->bulk_fd, &inner) == -1)
		return -errno;
	return 0;
}

static void run_deferred(struct loop *loop)
{
	while (loop->deferred_head != NULL) {
		struct deferred *deferred = loop->deferred_head;

		loop->deferred_head = deferred->next;
		deferred->fn(deferred);
	}
}

void loop_done(struct loop *loop)
{
	run_deferred(loop);
	fd_close(&loop->epoll_fd);
	fd_close(&loop->bulk_fd);
	free(loop->heap);
	loop->heap = NULL;
	free(loop->lent);
	loop->lent = NULL;
}

int loop_watch(struct loop *loop, struct watch *watch, uint32_t want)
{
	struct epoll_event event = { .events = want, .data.ptr = watch };
	int op = want == 0 ? EPOLL_CTL_DEL : watch->want == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	if (want == watch->want)
		return 0;
	/* a watch that wants nothing leaves epoll, which would otherwise go on reporting EPOLLHUP */
	if (epoll_ctl(watch->bulk ? loop->bulk_fd : loop->epoll_fd, op, watch->fd, &event) == -1)
		return -errno;
	watch->want = want;
	return 0;
}

int loop_set_bulk(struct loop *loop, struct watch *watch, bool bulk)
{
	uint32_t want = watch->want;

	if (bulk == watch->bulk)
		return 0;
	(void)loop_watch(loop, watch, 0); /* removing cannot fail */
	watch->bulk = bulk;
	return loop_watch(loop, watch, want);
}

static void queue_add(struct loop_queue *queue, struct watch *watch, uint32_t ready)
{
	watch->ready |= ready;
	if (watch->queue != NULL)
		return;
	watch->queue = queue;
	DL_APPEND(queue->first, watch);
	queue->len++;
}

static void queue_remove(struct watch *watch)
{
	struct loop_queue *queue = watch->queue;

	if (queue == NULL)
		return;
	DL_DELETE(queue->first, watch);
	queue->len--;
	watch->queue = NULL;
	watch->ready = 0;
}

void loop_unwatch(struct loop *loop, struct watch *watch)
{
	(void)loop_watch(loop, watch, 0); /* fails only for a closed fd, which epoll has forgotten anyway */
	watch->want = 0;
	queue_remove(watch);
	for (int i = loop->batch_at; i < loop->batch_len; i++)
		if (loop->batch[i].data.ptr == watch)
			loop->batch[i].data.ptr = NULL;
}

void loop_again(struct loop *loop, struct watch *watch)
{
	queue_add(watch->bulk ? &loop->bulk : &loop->again, watch, 0);
}

/* The heap: heap[1] is due first; each timer knows its place. */
static void heap_put(struct loop *loop, size_t place, struct timer *timer)
{
	loop->heap[place] = timer;
	timer->place = place;
}

static void heap_settle(struct loop *loop, size_t place, struct timer *timer)
{
	size_t child;

	for (; place > 1 && loop->heap[place / 2]->at_ms > timer->at_ms; place /= 2)
		heap_put(loop, place, loop->heap[place / 2]);
	for (; (child = place * 2) <= loop->heap_len; place = child) {
		if (child < loop->heap_len && loop->heap[child + 1]->at_ms < loop->heap[child]->at_ms)
			child++;
		if (loop->heap[child]->at_ms >= timer->at_ms)
			break;
		heap_put(loop, place, loop->heap[child]);
	}
	heap_put(loop, place, timer);
}

int loop_timer(struct loop *loop, struct timer *timer, uint64_t in_ms)
{
	timer->at_ms = loop->now_ms + in_ms;
	if (timer->place != 0) {
		heap_settle(loop, timer->place, timer);
		return 0;
	}
	if (loop->heap_len + 2 > loop->heap_cap) {
		size_t cap = loop->heap_cap == 0 ? 64 : loop->heap_cap * 2;
		struct timer **heap = realloc(loop->heap, cap * sizeof(*heap));

		if (heap == NULL)
			return -ENOMEM;
		loop->heap = heap;
		loop->heap_cap = cap;
	}
	loop->heap_len++;
	heap_settle(loop, loop->heap_len, timer);
	return 0;
}

void loop_timer_stop(struct loop *loop, struct timer *timer)
{
	size_t place = timer->place;
	struct timer *last;

	if (place == 0)
		return;
	timer->place = 0;
	last = loop->heap[loop->heap_len--];
	if (last != timer)
		heap_settle(loop, place, last);
}

void loop_defer_free(struct loop *loop, struct deferred *deferred)
{
	deferred->next = loop->deferred_head;
	loop->deferred_head = deferred;
}

static int next_wait_ms(const struct loop *loop)
{
	uint64_t at_ms;

	if (loop->again.len > 0 || loop->bulk.len > 0)
		return 0;
	if (loop->heap_len == 0)
		return -1;
	at_ms = loop->heap[1]->at_ms;
	if (at_ms <= loop->now_ms)
		return 0;
	return at_ms - loop->now_ms > 60000 ? 60000 : (int)(at_ms - loop->now_ms);
}

static void run_timers(struct loop *loop)
{
	while (loop->heap_len > 0 && loop->heap[1]->at_ms <= loop->now_ms) {
		struct timer *timer = loop->heap[1];

		loop_timer_stop(loop, timer);
		timer->fn(timer);
	}
}

static void run_first(struct loop_queue *queue)
{
	struct watch *watch = queue->first;
	uint32_t ready = watch->ready;

	queue_remove(watch);
	watch->fn(watch, ready);
}

/* Only those that were queued before this turn, so that the queue cannot starve the descriptors. */
static void run_again(struct loop *loop)
{
	for (size_t n = loop->again.len; n > 0 && loop->again.len > 0; n--)
		run_first(&loop->again);
}

/*
 * Queue the bulk watches that epoll reports. While the queue is long epoll is not
 * asked: it would only report the watches that wait already.
 */
static void queue_bulk(struct loop *loop)
{
	struct epoll_event events[LOOP_BATCH];
	int n = loop->bulk.len < LOOP_BATCH ? epoll_wait(loop->bulk_fd, events, LOOP_BATCH, 0) : 0;

	for (int i = 0; i < n; i++)
		queue_add(&loop->bulk, events[i].data.ptr, events[i].events);
}

/* One after the other, until the slice is over: what is left comes first in the next turn. */
static void run_bulk(struct loop *loop)
{
	uint64_t end_us;

	if (loop->bulk.len == 0)
		return;
	end_us = loop_clock_us() + SLICE_US;
	for (size_t n = loop->bulk.len; n > 0 && loop->bulk.len > 0; n--) {
		run_first(&loop->bulk);
		if (loop->bulk.len > 0 && loop_clock_us() >= end_us)
			return;
	}
}

/* Returns true when the event is that bulk watches have events. */
static bool run_event(struct loop *loop, const struct epoll_event *event)
{
	struct watch *watch = event->data.ptr;

	if (event->data.ptr == &loop->bulk)
		return true;
	if (watch != NULL) /* not forgotten in this turn */
		watch->fn(watch, event->events);
	return false;
}

int loop_run(struct loop *loop)
{
	while (!loop->stopped) {
		bool bulk = false;
		uint64_t begun_us;
		int n = epoll_wait(loop->epoll_fd, loop->batch, LOOP_BATCH, next_wait_ms(loop));

		if (n == -1 && errno != EINTR)
			return -errno;
		begun_us = loop_clock_us();
		loop->now_ms = begun_us / 1000;
		loop->turn++;
		loop->batch_len = n > 0 ? n : 0;
		count_observe(COUNT_LOOP_QUEUE, count_process,
			      (uint64_t)loop->batch_len + loop->again.len + loop->bulk.len);
		for (loop->batch_at = 0; loop->batch_at < loop->batch_len;)
			bulk |= run_event(loop, &loop->batch[loop->batch_at++]);
		loop->batch_len = 0;
		run_again(loop);
		if (bulk)
			queue_bulk(loop);
		run_bulk(loop);
		run_timers(loop);
		run_deferred(loop);
		count_observe(COUNT_LOOP_LAG, count_process, loop_clock_us() - begun_us);
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
