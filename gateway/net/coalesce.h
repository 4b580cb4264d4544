/*
 * Fewer wake-ups while a sender is fast.
 *
 * A reader that outpaces its sender sleeps after every few records; each wake-up
 * costs more than the records it brings. While bytes come fast, the kernel
 * therefore reports a socket only once it holds COALESCE_BYTES (SO_RCVLOWAT,
 * socket(7)), at the end, at a reset, or when its window is full.
 *
 * A sender that pauses must not leave bytes waiting in the kernel: while `on`, the
 * owner reads again after COALESCE_TICK_MS, even without an event.
 */
#ifndef ATTLSD_GATEWAY_NET_COALESCE_H
#define ATTLSD_GATEWAY_NET_COALESCE_H

#include <stdbool.h>
#include <stdint.h>

#define COALESCE_BYTES	 (128 * 1024)
#define COALESCE_TICK_MS 10
/* A fast sender, in bytes per millisecond: it sends COALESCE_BYTES in a quarter of a tick. 0.4 Gbit/s. */
#define COALESCE_RATE (COALESCE_BYTES * 4 / COALESCE_TICK_MS)

struct coalesce {
	bool on;
	uint64_t since_ms; /* the last decision */
	uint64_t bytes;	   /* read until then */
};

void coalesce_start(struct coalesce *coalesce, uint64_t now_ms);

/*
 * Call before each read and after each tick. bytes: read from fd so far. Decides once per tick, and sets the
 * socket's option when the decision changes.
 */
void coalesce_look(struct coalesce *coalesce, int fd, uint64_t now_ms, uint64_t bytes);

/* The last byte has been read: no more ticks, and the kernel reports every byte again. */
void coalesce_stop(struct coalesce *coalesce, int fd);

#endif
