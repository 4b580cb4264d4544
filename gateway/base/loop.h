/*
 * The event loop of a process: descriptors (level-triggered epoll), timers, a
 * queue for work that no descriptor will announce (bytes already inside
 * OpenSSL, a spent budget), and objects to free at its end, so that no callback ever frees the
 * object that called it.
 *
 * A turn has a fast lane and a slow one. Bulk watches (file transfers,
 * handshakes) have their own epoll and queue, which get one slice of time per
 * turn. A command on a control connection therefore waits for one slice and the
 * step that overran it at most, however many transfers there are.
 *
 * Everything is embedded in its owner and found back with CONTAINER_OF. One
 * loop per process, not thread-safe. Callbacks may add, change and remove any
 * watch or timer, including their own.
 */
#ifndef ATTLSD_GATEWAY_BASE_LOOP_H
#define ATTLSD_GATEWAY_BASE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

struct watch;
struct timer;
struct deferred;

/* ready: EPOLLIN, EPOLLOUT, EPOLLHUP ..., or 0 when called because of loop_again(). */
typedef void watch_fn(struct watch *watch, uint32_t ready);
typedef void timer_fn(struct timer *timer);
typedef void deferred_fn(struct deferred *deferred);

struct loop_queue {
	struct watch *first;
	size_t len;
};

/* For loop_watch(): only that the peer has gone. epoll reports EPOLLHUP and EPOLLERR whatever it watches for,
 * and UNIX sockets have no EPOLLPRI. */
#define WATCH_HANGUP EPOLLPRI

struct watch {
	int fd;
	uint32_t want; /* the events that epoll watches for; 0: it does not know the fd */
	watch_fn *fn;
	bool bulk;		  /* others go first, see loop_set_bulk() */
	uint32_t ready;		  /* events to report, while queued */
	struct loop_queue *queue; /* the one that it waits in, or NULL */
	struct watch *next, *prev;
};

struct timer {
	uint64_t at_ms; /* monotonic */
	size_t place;	/* in the heap, from 1; 0: not armed */
	timer_fn *fn;
};

struct deferred {
	deferred_fn *fn;
	struct deferred *next;
};

#define LOOP_BATCH 64

struct loop {
	int epoll_fd;
	int bulk_fd; /* an epoll inside the other */
	bool stopped;
	uint64_t now_ms; /* at the start of this turn */
	uint64_t turn;	 /* its number */
	struct epoll_event batch[LOOP_BATCH];
	int batch_len, batch_at;
	struct loop_queue again; /* all of it in each turn */
	struct loop_queue bulk;	 /* a slice of it in each turn */
	struct timer **heap;	 /* heap[0] is unused */
	size_t heap_len, heap_cap;
	struct deferred *deferred_head;
	uint8_t *lent; /* the buffer that output queues lend each other, see outq_add(); NULL: it is in use */
};

/* The monotonic clock, now, also for what has no loop. loop->now_ms is the time at which the turn began. */
uint64_t loop_clock_us(void);
uint64_t loop_clock_ms(void);

/* Returns 0 or a negative errno. */
int loop_init(struct loop *loop);
/* Frees what is deferred, closes epoll, frees the lent buffer. Watches and timers are their owners'. */
void loop_done(struct loop *loop);

static inline void watch_init(struct watch *watch, watch_fn *fn)
{
	*watch = (struct watch){ .fd = -1, .fn = fn };
}

static inline void timer_init(struct timer *timer, timer_fn *fn)
{
	*timer = (struct timer){ .fn = fn };
}

static inline bool timer_is_armed(const struct timer *timer)
{
	return timer->place != 0;
}

/* Ask for events on watch->fd; 0 stops all. Returns 0 or a negative errno (no memory, too many watches). */
int loop_watch(struct loop *loop, struct watch *watch, uint32_t want);

/*
 * Put a watch into the slow lane or out of it. If it has events already, returns as
 * loop_watch().
 */
int loop_set_bulk(struct loop *loop, struct watch *watch, bool bulk);

/* Forget the watch: not even an event of this turn reaches it. Call this before closing its fd. */
void loop_unwatch(struct loop *loop, struct watch *watch);

/* Call watch->fn(watch, 0) in one of the next turns, whatever the descriptor does. */
void loop_again(struct loop *loop, struct watch *watch);

/* (Re)arm a timer to fire once, `in_ms` from now. Returns 0 or -ENOMEM. */
int loop_timer(struct loop *loop, struct timer *timer, uint64_t in_ms);
void loop_timer_stop(struct loop *loop, struct timer *timer);

/* Have deferred->fn(deferred) called when this turn is over. */
void loop_defer_free(struct loop *loop, struct deferred *deferred);

/* Turn until loop_stop(). Returns 0, or a negative errno when epoll itself fails. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif
