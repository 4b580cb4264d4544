/*
 * Sends records to those who read. A record has a bit for each reader that still has to send
 * it, so the ring needs no other queue: a reader that is too slow finds that its records have
 * been overwritten, and hears how many they were.
 */
#include "gateway/worker/trace-reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/util.h"

/* Of the ring, while somebody follows and nothing is kept. */
#define RING_FOLLOW_BYTES (256 * 1024)
#define ANSWERS_PER_TURN  32
/* Records that are looked at in a turn. */
#define RECORDS_PER_TURN 2000
/* Give up on somebody who reads what is kept and does not read. */
#define STILL_MS 10000

uint64_t trace_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool trace_reader_is_used(const struct trace_reader *reader)
{
	return reader->watch.fd != -1;
}

uint16_t trace_reader_bit(const struct trace_reader *reader)
{
	return (uint16_t)(1u << (reader - reader->trace->readers));
}

/* A record is overwritten. Those who had still to send it have lost it. */
static void on_drop(struct trace_ring *ring, uint64_t at, const struct trace_record *record)
{
	struct trace *trace = CONTAINER_OF(ring, struct trace, ring);

	for (size_t i = 0; i < TRACE_READERS_MAX; i++)
		if (trace_reader_is_used(&trace->readers[i]) && at >= trace->readers[i].at &&
		    (record->readers & trace_reader_bit(&trace->readers[i])) != 0)
			trace->readers[i].lost++;
}

static int make_ring(struct trace *trace, size_t bytes)
{
	return trace->ring.bytes != NULL ? 0 : trace_ring_init(&trace->ring, bytes, on_drop);
}

int trace_init(struct trace *trace, struct loop *loop, size_t bytes)
{
	*trace = (struct trace){ .loop = loop, .on = bytes > 0, .keeps = bytes > 0 };
	for (size_t i = 0; i < TRACE_READERS_MAX; i++) {
		trace->readers[i].trace = trace;
		trace->readers[i].watch.fd = -1;
	}
	return bytes > 0 ? make_ring(trace, bytes) : 0;
}

static void reader_end(struct trace_reader *reader)
{
	struct trace *trace = reader->trace;

	if (!trace_reader_is_used(reader))
		return;
	loop_unwatch(trace->loop, &reader->watch);
	fd_close(&reader->watch.fd);
	loop_timer_stop(trace->loop, &reader->timer);
	trace->nreaders--;
	trace->on = trace->keeps || trace->nreaders > 0;
	if (!trace->on)
		trace_ring_done(&trace->ring);
}

void trace_done(struct trace *trace)
{
	for (size_t i = 0; i < TRACE_READERS_MAX; i++)
		reader_end(&trace->readers[i]);
	loop_timer_stop(trace->loop, &trace->tick);
	trace_ring_done(&trace->ring);
}

/* Somebody has something to send. */
void trace_readers_wake(struct trace *trace, uint16_t readers)
{
	for (size_t i = 0; readers != 0; i++, readers >>= 1)
		if ((readers & 1) != 0 && trace_reader_is_used(&trace->readers[i]) &&
		    (trace->readers[i].watch.want & EPOLLOUT) == 0)
			loop_again(trace->loop, &trace->readers[i].watch);
}

/* Returns what ctl_proto_send() does. */
static int send_record(struct trace_reader *reader, const struct trace_record *record)
{
	struct answer answer = ctl_proto_answer(ANSWER_TRACE);
	size_t hidden = record->kind == TRACE_SESSION ? sizeof(struct ip_endpoint) : 0;

	answer.u.trace.session = record->session;
	answer.u.trace.ns = record->ns;
	answer.u.trace.worker = (int32_t)getpid();
	answer.u.trace.kind = record->kind;
	answer.u.trace.cut = record->cut;
	answer.u.trace.len = (uint32_t)(record->len - hidden);
	memcpy(answer.u.trace.text, record->text + hidden, record->len - hidden);
	return ctl_proto_send(reader->watch.fd, &answer);
}

static int send_lost(struct trace_reader *reader)
{
	struct answer answer = ctl_proto_answer(ANSWER_TRACE);
	int r;

	if (reader->lost == 0)
		return 0;
	answer.u.trace.ns = trace_now_ns();
	answer.u.trace.worker = (int32_t)getpid();
	answer.u.trace.kind = TRACE_LOST;
	answer.u.trace.lost = reader->lost;
	r = ctl_proto_send(reader->watch.fd, &answer);
	if (r == 0)
		reader->lost = 0;
	return r;
}

static int send_end(struct trace_reader *reader)
{
	struct answer answer = ctl_proto_answer(ANSWER_LIST_END);
	int r;

	answer.u.list_end.pid = (int32_t)getpid();
	answer.u.list_end.n = reader->sent;
	r = ctl_proto_send(reader->watch.fd, &answer);
	return r < 0 ? r : -ECANCELED; /* the end */
}

/* One step of the replay: the records before replay_end that the reader has not had. */
static int step_replay(struct trace_reader *reader)
{
	uint64_t at = reader->replay_at;
	const struct trace_record *record = trace_ring_at(&reader->trace->ring, &at);
	int r = 0;

	if (record == NULL || at >= reader->replay_end) {
		reader->replay_at = reader->replay_end = 0;
		return 0;
	}
	if (record->session == reader->replayed && record->kind != TRACE_SESSION &&
	    record->kind != TRACE_DATA)
		r = send_record(reader, record);
	if (r == 0)
		reader->replay_at = trace_ring_after(at, record);
	return r;
}

/* Returns 1: a record was looked at; 0: there is none; or a negative errno; -ECANCELED: all is sent. */
static int step(struct trace_reader *reader)
{
	uint16_t bit = trace_reader_bit(reader);
	uint64_t at = reader->at;
	struct trace_record *record;
	int r = send_lost(reader);

	if (r < 0)
		return r;
	if (reader->replay_at < reader->replay_end) {
		r = step_replay(reader);
		return r < 0 ? r : 1;
	}
	record = trace_ring_at(&reader->trace->ring, &at);
	if (!reader->follows && (record == NULL || at >= reader->end))
		return send_end(reader);
	if (record == NULL)
		return 0;
	if ((record->readers & bit) != 0) {
		r = send_record(reader, record);
		if (r < 0)
			return r;
		reader->sent++;
		record->readers &= (uint16_t)~bit;
		if ((record->replays & bit) != 0) {
			reader->replayed = record->session;
			reader->replay_at = reader->trace->ring.tail;
			reader->replay_end = at;
		}
	}
	reader->at = trace_ring_after(at, record);
	return 1;
}

static void on_reader(struct watch *watch, uint32_t ready)
{
	struct trace_reader *reader = CONTAINER_OF(watch, struct trace_reader, watch);
	struct loop *loop = reader->trace->loop;
	uint64_t before = reader->sent;
	int r = 1;

	if ((ready & (EPOLLHUP | EPOLLERR)) != 0) {
		reader_end(reader);
		return;
	}
	for (int n = 0; r == 1 && n < RECORDS_PER_TURN && reader->sent - before < ANSWERS_PER_TURN; n++)
		r = step(reader);
	if (reader->sent > before && timer_is_armed(&reader->timer) &&
	    loop_timer(loop, &reader->timer, STILL_MS) < 0)
		r = -ENOMEM;
	if (r < 0 && r != -EAGAIN)
		reader_end(reader);
	else if (loop_watch(loop, watch, r == -EAGAIN ? EPOLLOUT : WATCH_HANGUP) < 0)
		reader_end(reader);
	else if (r == 1)
		loop_again(loop, watch);
}

static void on_still(struct timer *timer)
{
	reader_end(CONTAINER_OF(timer, struct trace_reader, timer));
}

static struct trace_reader *free_place(struct trace *trace, bool follows, bool others)
{
	size_t same = 0, same_others = 0;
	struct trace_reader *found = NULL;

	for (size_t i = 0; i < TRACE_READERS_MAX; i++) {
		struct trace_reader *reader = &trace->readers[i];

		if (!trace_reader_is_used(reader))
			found = reader;
		else if (reader->follows == follows) {
			same++;
			same_others += reader->others;
		}
	}
	if (others && same_others >= CTL_TRACES_OTHERS_MAX)
		return NULL;
	return same < TRACE_FOLLOWERS_MAX ? found : NULL;
}

struct trace_reader *trace_read(struct trace *trace, int *fd, const struct msg *order, bool follows)
{
	bool others = order->asker != ASKER_OPERATOR;
	struct trace_reader *reader = *fd != -1 ? free_place(trace, follows, others) : NULL;

	if (reader == NULL || make_ring(trace, RING_FOLLOW_BYTES) < 0) {
		fd_close(fd);
		return NULL;
	}
	*reader = (struct trace_reader){ .trace = trace,
					 .filter = order->filter,
					 .follows = follows,
					 .others = others,
					 .at = trace->ring.head,
					 .end = trace->ring.head };
	watch_init(&reader->watch, on_reader);
	reader->watch.bulk = true; /* sessions go first */
	timer_init(&reader->timer, on_still);
	reader->watch.fd = fd_take(fd);
	trace->nreaders++;
	trace->on = true;
	if (loop_watch(trace->loop, &reader->watch, WATCH_HANGUP) == 0 &&
	    (follows || loop_timer(trace->loop, &reader->timer, STILL_MS) == 0))
		return reader;
	reader_end(reader);
	return NULL;
}

void trace_reader_start(struct trace_reader *reader)
{
	loop_again(reader->trace->loop, &reader->watch);
}

static const char *value_of(const char *text, size_t len, const char *key)
{
	const char *end = text + len;

	for (const char *at = text + strlen(text) + 1; at < end;) {
		const char *value = at + strlen(at) + 1;

		if (strcmp(at, key) == 0)
			return value;
		at = value + strlen(value) + 1;
	}
	return NULL;
}

/* Does the filter let through the session that has left this record? */
static bool matches_ended(const struct trace_record *record, const struct session_filter *filter)
{
	struct ip_endpoint client;
	const char *text = record->text + sizeof(client);
	size_t len = record->len - sizeof(client);
	struct session_traits traits = { .session = record->session,
					 .idle_ms = (uint64_t)filter->idle_s * 1000,
					 .transfers = true,
					 .client = &client.addr,
					 .user = value_of(text, len, "user"),
					 .rule = value_of(text, len, "rule"),
					 .listener = value_of(text, len, "listener"),
					 .backend = value_of(text, len, "backend") };

	memcpy(&client, record->text, sizeof(client));
	if (traits.user == NULL)
		traits.user = value_of(text, len, "login");
	return session_filter_matches(filter, &traits);
}

bool trace_ids_add(struct trace_ids *ids, uint64_t id)
{
	if (ids->n == TRACE_IDS_MAX)
		return false;
	ids->list[ids->n++] = id;
	return true;
}

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool has_id(const struct trace_ids *ids, uint64_t id)
{
	return bsearch(&id, ids->list, ids->n, sizeof(id), compare_ids) != NULL;
}

void trace_reader_mark(struct trace_reader *reader, struct trace_ids *ids, uint32_t last)
{
	struct trace_ring *ring = &reader->trace->ring;
	struct trace_record *record;
	uint16_t bit = trace_reader_bit(reader);
	uint64_t count = 0;

	for (uint64_t at = ring->tail; (record = trace_ring_at(ring, &at)) != NULL;
	     at = trace_ring_after(at, record)) {
		record->readers &= (uint16_t)~bit; /* of one that had the place before */
		record->replays &= (uint16_t)~bit;
		if (record->kind == TRACE_SESSION && matches_ended(record, &reader->filter))
			(void)trace_ids_add(ids, record->session); /* what has no room is not shown */
	}
	if (ids->n > 0)
		qsort(ids->list, ids->n, sizeof(ids->list[0]), compare_ids);
	for (uint64_t at = ring->tail; (record = trace_ring_at(ring, &at)) != NULL;
	     at = trace_ring_after(at, record))
		count += has_id(ids, record->session);
	for (uint64_t at = ring->tail; (record = trace_ring_at(ring, &at)) != NULL;
	     at = trace_ring_after(at, record)) {
		if (!has_id(ids, record->session))
			continue;
		if (count-- <= last || record->kind == TRACE_SESSION)
			record->readers |= bit;
	}
	reader->at = ring->tail;
}
