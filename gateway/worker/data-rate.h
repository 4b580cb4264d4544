/*
 * How fast a transfer has moved in the last seconds. It looks at the clock of the loop
 * only, at most once for each step of a relay.
 */
#ifndef ATTLSD_GATEWAY_WORKER_DATA_RATE_H
#define ATTLSD_GATEWAY_WORKER_DATA_RATE_H

#include <stdint.h>

/* A mark lasts so long; the rate is that since the mark before the last one. */
#define DATA_RATE_MARK_MS 2000

/* All zero, then data_rate_begin(). */
struct data_rate {
	struct {
		uint64_t ms, bytes;
	} before, last;
};

static inline void data_rate_begin(struct data_rate *rate, uint64_t now_ms)
{
	*rate = (struct data_rate){ .before.ms = now_ms, .last.ms = now_ms };
}

/* Bytes have moved: `bytes` in all. */
static inline void data_rate_note(struct data_rate *rate, uint64_t bytes, uint64_t now_ms)
{
	if (now_ms - rate->last.ms < DATA_RATE_MARK_MS)
		return;
	rate->before = rate->last;
	rate->last.ms = now_ms;
	rate->last.bytes = bytes;
}

/* Bytes a second. idle_ms: since a byte moved. */
static inline uint64_t data_rate_now(const struct data_rate *rate, uint64_t bytes, uint64_t now_ms,
				     uint64_t idle_ms)
{
	uint64_t ms = now_ms - rate->before.ms;

	if (idle_ms >= 2 * (uint64_t)DATA_RATE_MARK_MS)
		return 0;
	return (uint64_t)((double)(bytes - rate->before.bytes) * 1000 / (double)(ms > 0 ? ms : 1));
}

#endif
