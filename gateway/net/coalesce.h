/*
 * Being woken for many bytes at once while a sender is fast.
 *
 * Who reads faster than its peer sends sleeps after every few records, and waking up for a few more
 * costs more than they do. So while bytes come fast, the kernel is asked to say nothing before
 * COALESCE_BYTES have come together (SO_RCVLOWAT, socket(7)). It speaks up all the same at the end, at a
 * reset, and when its window is full.
 *
 * What it keeps back must not wait for a sender who pauses: while `on`, the owner looks and reads again
 * after COALESCE_TICK_MS, event or not.
 */
#ifndef ATTLSD_GATEWAY_NET_COALESCE_H
#define ATTLSD_GATEWAY_NET_COALESCE_H

#include <stdbool.h>
#include <stdint.h>

#define COALESCE_BYTES	 (128 * 1024)
#define COALESCE_TICK_MS 10
/* Fast, in bytes per millisecond: COALESCE_BYTES come together in a quarter of a tick. 0.4 Gbit/s. */
#define COALESCE_RATE (COALESCE_BYTES * 4 / COALESCE_TICK_MS)

struct coalesce {
	bool on;
	uint64_t since_ms; /* of the last judgement */
	uint64_t bytes;	   /* read until then */
};

void coalesce_start(struct coalesce *coalesce, uint64_t now_ms);

/*
 * Call before each read, and whenever a tick is over. bytes: read from fd so far. Judges once in a tick, and
 * tells the kernel of a change.
 */
void coalesce_look(struct coalesce *coalesce, int fd, uint64_t now_ms, uint64_t bytes);

/* The last byte has been read: no more ticks, and who waits for the connection's end hears of any byte. */
void coalesce_stop(struct coalesce *coalesce, int fd);

#endif
