/*
 * The trace of a worker's sessions: what each side says, what the gateway decides, and
 * what it does. Records go into a ring (daemon.trace_memory) and to operators who follow
 * sessions with `attlsctl trace`. Secrets are masked before a record is made, see
 * trace-line.h. When nothing is kept and nobody follows, an event costs the test of a flag.
 */
#ifndef ATTLSD_GATEWAY_WORKER_TRACE_H
#define ATTLSD_GATEWAY_WORKER_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/base/log.h"
#include "gateway/base/session-filter.h"
#include "gateway/worker/facts.h"
#include "gateway/worker/trace-reader.h"

/* What a session has of it. */
struct trace_session {
	struct trace *trace;
	uint16_t readers;    /* a bit for each that follows the session */
	uint16_t introduced; /* likewise: it knows whose session it is */
	uint16_t waited;     /* likewise: it follows from when the session was there already */
	uint64_t began_ns;   /* wall clock */
	const char *user;    /* that has logged in; "": none. Never NULL */
	const char *login_name;
};

static inline bool trace_wants(const struct facts *facts)
{
	return facts->traced != NULL && facts->traced->trace->on;
}

/* Call these only if trace_wants(). */

/* A text that is masked already. cut: it was longer. */
void trace_text(const struct facts *facts, enum trace_kind kind, const char *text, size_t len, bool cut);
/* A log line. */
void trace_event(const struct facts *facts, const char *event, const struct log_field *fields);
/* How far a transfer is: only for those who want that. */
void trace_progress(const struct facts *facts, const char *text, size_t len);

/* Does the filter let this session through? By the name of its last USER as well. */
bool trace_matches(const struct facts *facts, const struct session_filter *filter);

/* The session of this worker begins; user and login_name live as long as it. */
void trace_session_init(struct trace_session *traced, struct trace *trace, const char *user,
			const char *login_name);
/* Record whose session it is, before its other records in time: for those who ask later. */
void trace_introduce(const struct facts *facts);
/* It has ended: no call for it follows. */
void trace_session_over(const struct facts *facts);

/* Session-only events of a trace; as session_log() without a log line. */
#define session_note(facts, event, ...)                                                                      \
	do {                                                                                                 \
		if (trace_wants(facts))                                                                      \
			trace_event(facts, event, (const struct log_field[]){ __VA_ARGS__, LOG_END });       \
	} while (0)

#endif
