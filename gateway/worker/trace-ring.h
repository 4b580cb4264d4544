/*
 * The last events of a worker's sessions, in a ring of bytes: the newest ones take the
 * place of the oldest. It is also the queue of those who follow a trace, so that no
 * reader can make a worker wait or take more memory.
 */
#ifndef ATTLSD_GATEWAY_WORKER_TRACE_RING_H
#define ATTLSD_GATEWAY_WORKER_TRACE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_record {
	uint64_t session;
	uint64_t ns; /* wall clock */
	uint16_t len;
	uint16_t readers; /* a bit for each reader that still has to send it */
	uint16_t replays; /* likewise: the session's earlier records come before it */
	uint8_t kind;	  /* enum trace_kind; 0: fills the end of the ring */
	uint8_t cut;	  /* the text was longer */
	char text[];
};

struct trace_ring {
	uint8_t *bytes; /* owned; NULL: it holds nothing */
	size_t size;
	uint64_t head, tail; /* places, which only grow: where the next record goes, and the oldest one */
	void (*on_drop)(struct trace_ring *ring, uint64_t at, const struct trace_record *record);
};

#define TRACE_RING_MIN 65536

/* size: at least TRACE_RING_MIN; a multiple of 8 of it is used. Returns 0 or -ENOMEM. */
int trace_ring_init(struct trace_ring *ring, size_t size,
		    void (*on_drop)(struct trace_ring *ring, uint64_t at, const struct trace_record *record));
void trace_ring_done(struct trace_ring *ring);

/* Room for a record with a text of `len` bytes; all but `len` is zero. It lives until the next call. */
struct trace_record *trace_ring_add(struct trace_ring *ring, size_t len);

/* The record at *at or after it; moves *at to it. NULL: there are no more. */
struct trace_record *trace_ring_at(const struct trace_ring *ring, uint64_t *at);

/* The place after this record, which is at `at`. */
uint64_t trace_ring_after(uint64_t at, const struct trace_record *record);

#endif
