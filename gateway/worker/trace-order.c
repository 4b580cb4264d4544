/*
 * Knows which sessions there are: those that somebody follows from the start, those whose
 * records somebody wants, and how far the transfers of all are.
 */
#include "gateway/worker/trace-order.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/util.h"
#include "gateway/worker/session-state.h"
#include "gateway/worker/trace.h"

#define TICK_MS 1000
/* Sessions that are introduced to somebody who reads what is kept; more would push it out. */
#define INTRODUCED_MAX 64

static void report_transfer(const struct session *session)
{
	struct data_status status;
	char text[64];
	int len;

	if (!trace_wants(&session->facts) || session->traced.readers == 0 ||
	    !data_conn_status(&session->data, &status))
		return;
	len = snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64, status.bytes, status.transfer_ms);
	trace_progress(&session->facts, text, (size_t)len);
}

static bool somebody_wants_data(const struct trace *trace)
{
	for (size_t i = 0; i < TRACE_READERS_MAX; i++)
		if (trace->readers[i].watch.fd != -1 && trace->readers[i].data)
			return true;
	return false;
}

static void on_tick(struct timer *timer)
{
	struct worker *worker = CONTAINER_OF(timer, struct worker, trace.tick);

	for (struct session_node *node = worker->sessions.head; node != NULL; node = node->next)
		report_transfer(session_of(node));
	if (somebody_wants_data(&worker->trace))
		(void)loop_timer(&worker->loop, timer, TICK_MS); /* its place in the heap is there */
}

void trace_order_follow(struct worker *worker, const struct msg *msg, int *fd)
{
	struct trace_reader *reader = trace_read(&worker->trace, fd, msg, true);
	uint16_t bit;

	if (reader == NULL)
		return;
	bit = trace_reader_bit(reader);
	for (struct session_node *node = worker->sessions.head; node != NULL; node = node->next) {
		struct trace_session *traced = &session_of(node)->traced;
		bool matches = trace_matches(&session_of(node)->facts, &reader->filter);

		traced->introduced &= (uint16_t)~bit; /* of one that had the place before */
		traced->readers = (uint16_t)((traced->readers & ~bit) | (matches ? bit : 0));
		traced->waited = (uint16_t)((traced->waited & ~bit) | (matches ? bit : 0));
	}
	reader->data = msg->active != 0;
	if (reader->data && !timer_is_armed(&worker->trace.tick)) {
		timer_init(&worker->trace.tick, on_tick);
		(void)loop_timer(&worker->loop, &worker->trace.tick, TICK_MS); /* or there is no progress */
	}
	trace_reader_start(reader);
}

void trace_order_last(struct worker *worker, const struct msg *msg, int *fd)
{
	struct trace_reader *reader = trace_read(&worker->trace, fd, msg, false);
	struct trace_ids *ids = reader != NULL ? calloc(1, sizeof(*ids)) : NULL;

	if (ids == NULL)
		return; /* its timer ends it */
	for (struct session_node *node = worker->sessions.head; node != NULL; node = node->next)
		if (trace_matches(&session_of(node)->facts, &reader->filter) &&
		    trace_ids_add(ids, node->id) && ids->n <= INTRODUCED_MAX && worker->trace.keeps)
			trace_introduce(&session_of(node)->facts);
	reader->end = worker->trace.ring.head;
	trace_reader_mark(reader, ids, msg->serial);
	free(ids);
	trace_reader_start(reader);
}
