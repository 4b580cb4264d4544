/*
 * The queue of login attempts. A source without failures may try a few logins at
 * once, since clients open parallel sessions; after a failure one at a time, and
 * each only when the delay since the last failure is over. An attempt that is under
 * way keeps the others waiting until it is decided, so that parallel sessions are
 * no faster than one; but not for long, since one server that does not answer must
 * not keep a source from all the others.
 */
#include "gateway/monitor/login-queue.h"

#include <stdlib.h>
#include <uthash.h>
#include <utlist.h>

#include "gateway/base/util.h"

/* How long failed logins count against a source. */
#define FAILURES_MS (10 * 60 * 1000)
/* Attempts that a source without failures may have under way. */
#define CLEAN_AT_ONCE 4
/* The longest delay, and the failure after which it cannot grow. */
#define DELAY_MAX_MS  30000
#define FAILURES_FULL 32
/* How long an attempt keeps others waiting. */
#define PATIENCE_MS 10000

struct login_attempt {
	uint64_t session; /* key */
	void *owner;
	struct login_source *source;
	uint32_t delay_ms;
	enum { ATTEMPT_WAITS = 0, ATTEMPT_UNDER_WAY, ATTEMPT_LATE } state;
	uint64_t went_ms;		   /* when its turn came */
	struct login_attempt *next, *prev; /* of those in the same state; late ones are in no list */
	UT_hash_handle hh;
};

struct login_source {
	struct ip_addr key;
	struct login_queue *queue;
	uint32_t failures;
	uint64_t failed_ms; /* the last one */
	uint32_t under_way, late;
	struct login_attempt *waiting; /* the first to come is the first to go */
	struct login_attempt *going;   /* under way, the first to go first */
	struct timer timer;	       /* the delay of the first one, or the patience with one under way */
	UT_hash_handle hh;
};

static bool is_used(const struct login_source *source)
{
	return source->under_way > 0 || source->late > 0 || source->waiting != NULL;
}

static bool has_forgiven(const struct login_source *source, uint64_t now_ms)
{
	return source->failures == 0 || now_ms - source->failed_ms > FAILURES_MS;
}

static void forget_source(struct login_source *source)
{
	loop_timer_stop(source->queue->loop, &source->timer);
	HASH_DEL(source->queue->sources, source);
	free(source);
}

static uint64_t delay_of(uint32_t failures, uint64_t delay_ms)
{
	for (uint32_t i = 1; i < failures && delay_ms < DELAY_MAX_MS; i++)
		delay_ms *= 2;
	if (failures == 0)
		return 0;
	return delay_ms < DELAY_MAX_MS ? delay_ms : DELAY_MAX_MS;
}

/* An attempt that takes too long no longer keeps others waiting. If it fails, it still counts. */
static void give_up_late(struct login_source *source, uint64_t now_ms)
{
	struct login_attempt *first;

	while ((first = source->going) != NULL && now_ms - first->went_ms >= PATIENCE_MS) {
		DL_DELETE(source->going, first);
		first->state = ATTEMPT_LATE;
		source->under_way--;
		source->late++;
	}
}

/*
 * Wait for the time at which the source may have another turn. Without memory for a
 * timer there is no waiting: a login must not wait for ever.
 */
static bool wait_until(struct login_source *source, uint64_t due_ms)
{
	const struct login_queue *queue = source->queue;

	return due_ms > queue->loop->now_ms &&
	       loop_timer(queue->loop, &source->timer, due_ms - queue->loop->now_ms) == 0;
}

/* Let go whoever may go now; for the next one, wait for the time or for an attempt to be decided. */
static void let_go(struct login_source *source)
{
	struct login_queue *queue = source->queue;
	uint64_t now_ms = queue->loop->now_ms;
	struct login_attempt *first;

	loop_timer_stop(queue->loop, &source->timer);
	give_up_late(source, now_ms);
	while ((first = source->waiting) != NULL) {
		uint32_t failures = has_forgiven(source, now_ms) ? 0 : source->failures;
		uint32_t at_once = failures > 0 ? 1 : CLEAN_AT_ONCE;
		uint64_t due_ms = source->failed_ms + delay_of(failures, first->delay_ms);

		if (source->under_way >= at_once && wait_until(source, source->going->went_ms + PATIENCE_MS))
			return;
		if (failures > 0 && wait_until(source, due_ms))
			return;
		DL_DELETE(source->waiting, first);
		first->state = ATTEMPT_UNDER_WAY;
		first->went_ms = now_ms;
		DL_APPEND(source->going, first);
		source->under_way++;
		queue->go(first->owner, first->session, source->under_way >= at_once);
	}
}

static void on_timer(struct timer *timer)
{
	let_go(CONTAINER_OF(timer, struct login_source, timer));
}

/* The oldest source that nothing waits for makes room. */
static void make_room(struct login_queue *queue)
{
	struct login_source *source, *next;

	if (HASH_COUNT(queue->sources) < LOGIN_SOURCES_MAX)
		return;
	HASH_ITER (hh, queue->sources, source, next) {
		if (is_used(source))
			continue;
		forget_source(source);
		return;
	}
}

/* The source of a key, made if it is new, as the most recently used one. NULL: no memory. */
static struct login_source *use_source(struct login_queue *queue, const struct ip_addr *key)
{
	struct login_source *source;

	HASH_FIND(hh, queue->sources, key, sizeof(*key), source);
	if (source != NULL) {
		HASH_DEL(queue->sources, source); /* it moves to the end of the list */
	} else {
		make_room(queue);
		source = calloc(1, sizeof(*source));
		if (source == NULL)
			return NULL;
		source->key = *key;
		source->queue = queue;
		timer_init(&source->timer, on_timer);
	}
	HASH_ADD(hh, queue->sources, key, sizeof(source->key), source);
	return source;
}

static void source_moved(struct login_source *source)
{
	let_go(source);
	if (!is_used(source) && has_forgiven(source, source->queue->loop->now_ms))
		forget_source(source);
}

void login_queue_init(struct login_queue *queue, struct loop *loop, login_go_fn *go)
{
	*queue = (struct login_queue){ .loop = loop, .go = go };
}

bool login_queue_ask(struct login_queue *queue, uint64_t session, void *owner, const struct ip_addr *key,
		     uint32_t delay_ms)
{
	struct login_attempt *attempt;

	HASH_FIND(hh, queue->attempts, &session, sizeof(session), attempt);
	if (attempt != NULL)
		return false;
	attempt = calloc(1, sizeof(*attempt));
	if (attempt != NULL)
		attempt->source = use_source(queue, key);
	if (attempt == NULL || attempt->source == NULL) {
		free(attempt);
		queue->go(owner, session, false); /* without memory nothing is counted */
		return true;
	}
	attempt->session = session;
	attempt->owner = owner;
	attempt->delay_ms = delay_ms;
	HASH_ADD(hh, queue->attempts, session, sizeof(attempt->session), attempt);
	DL_APPEND(attempt->source->waiting, attempt);
	let_go(attempt->source);
	return true;
}

/* Returns the source of the attempt that is over; NULL: there was none. */
static struct login_source *end_attempt(struct login_queue *queue, uint64_t session)
{
	struct login_attempt *attempt;
	struct login_source *source;

	HASH_FIND(hh, queue->attempts, &session, sizeof(session), attempt);
	if (attempt == NULL)
		return NULL;
	source = attempt->source;
	switch (attempt->state) {
	case ATTEMPT_WAITS:
		DL_DELETE(source->waiting, attempt);
		break;
	case ATTEMPT_UNDER_WAY:
		DL_DELETE(source->going, attempt);
		source->under_way--;
		break;
	case ATTEMPT_LATE:
		source->late--;
		break;
	}
	HASH_DEL(queue->attempts, attempt);
	free(attempt);
	return source;
}

void login_queue_over(struct login_queue *queue, uint64_t session)
{
	struct login_source *source = end_attempt(queue, session);

	if (source != NULL)
		source_moved(source);
}

void login_queue_failed(struct login_queue *queue, uint64_t session, const struct ip_addr *key)
{
	struct login_source *source;

	(void)end_attempt(queue, session); /* its source is the one of the key */
	source = use_source(queue, key);
	if (source == NULL)
		return;
	if (has_forgiven(source, queue->loop->now_ms))
		source->failures = 0;
	if (source->failures < FAILURES_FULL)
		source->failures++;
	source->failed_ms = queue->loop->now_ms;
	let_go(source);
}

uint32_t login_queue_failures(const struct login_queue *queue, const struct ip_addr *key)
{
	struct login_source *source;

	HASH_FIND(hh, queue->sources, key, sizeof(*key), source);
	return source == NULL || has_forgiven(source, queue->loop->now_ms) ? 0 : source->failures;
}

size_t login_queue_export(const struct login_queue *queue, struct login_failures *ret, size_t max)
{
	struct login_source *source, *next;
	size_t n = 0;

	HASH_ITER (hh, queue->sources, source, next)
		if (n < max && !has_forgiven(source, queue->loop->now_ms))
			ret[n++] =
			    (struct login_failures){ source->key, source->failures, source->failed_ms };
	return n;
}

void login_queue_import(struct login_queue *queue, const struct login_failures *failures)
{
	struct login_source *source = use_source(queue, &failures->key);

	if (source == NULL)
		return; /* without memory nothing is counted */
	source->failures = failures->failures < FAILURES_FULL ? failures->failures : FAILURES_FULL;
	source->failed_ms = failures->failed_ms;
}

void login_queue_done(struct login_queue *queue)
{
	struct login_attempt *attempt, *next;
	struct login_source *source, *next_source;

	HASH_ITER (hh, queue->attempts, attempt, next) {
		HASH_DEL(queue->attempts, attempt);
		free(attempt);
	}
	HASH_ITER (hh, queue->sources, source, next_source)
		forget_source(source);
}
