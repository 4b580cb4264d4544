/*
 * Operators who read the trace of a worker: those who follow sessions, and those who want
 * what is kept. Each has a place, whose number is its bit in records and sessions.
 */
#ifndef ATTLSD_GATEWAY_WORKER_TRACE_READER_H
#define ATTLSD_GATEWAY_WORKER_TRACE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/base/loop.h"
#include "gateway/base/msg.h"
#include "gateway/base/session-filter.h"
#include "gateway/worker/trace-ring.h"

/* Operators who follow, and who read what is kept. More of either are refused. */
#define TRACE_FOLLOWERS_MAX CTL_TRACES_MAX
#define TRACE_READERS_MAX   (2 * TRACE_FOLLOWERS_MAX)

struct trace;

struct trace_reader {
	struct trace *trace;
	struct watch watch; /* its fd is -1: the place is free */
	struct timer timer; /* gives up on one that reads what is kept, and does not read */
	struct session_filter filter;
	bool others;  /* it belongs to a peer that gives no orders */
	bool follows; /* and gets what comes; false: only what is marked for it, up to `end` */
	bool data;    /* wants the progress of transfers */
	uint64_t at;  /* the place of the next record */
	uint64_t end;
	uint64_t replay_at, replay_end; /* the earlier records of session `replayed`; equal: none */
	uint64_t replayed;
	uint64_t lost; /* records that it was too slow for, and has not heard of */
	uint64_t sent;
};

struct trace {
	bool on; /* somebody follows, or records are kept */
	bool keeps;
	struct loop *loop;
	struct trace_ring ring;
	size_t nreaders;
	struct trace_reader readers[TRACE_READERS_MAX];
	struct timer tick; /* while somebody wants the progress of transfers */
};

/* bytes: to keep; 0: nothing. Returns 0 or -ENOMEM. */
int trace_init(struct trace *trace, struct loop *loop, size_t bytes);
void trace_done(struct trace *trace);

bool trace_reader_is_used(const struct trace_reader *reader);

/* Those with these bits have something to send. */
void trace_readers_wake(struct trace *trace, uint16_t readers);

/* The wall clock. */
uint64_t trace_now_ns(void);

/*
 * Somebody wants to follow, or to read what is kept. Takes *fd over; NULL: it is closed,
 * since there is no room.
 */
struct trace_reader *trace_read(struct trace *trace, int *fd, const struct msg *order, bool follows);

/* Sessions of which somebody wants to read what is kept. */
#define TRACE_IDS_MAX 4096
struct trace_ids {
	size_t n;
	uint64_t list[TRACE_IDS_MAX];
};
/* False: there is no room. */
bool trace_ids_add(struct trace_ids *ids, uint64_t id);
/*
 * Mark for the reader the last records of these sessions, and of those that have ended and
 * that its filter lets through.
 */
void trace_reader_mark(struct trace_reader *reader, struct trace_ids *ids, uint32_t last);

/* Begin to send. */
void trace_reader_start(struct trace_reader *reader);
uint16_t trace_reader_bit(const struct trace_reader *reader);

#endif
