/*
 * The wait for the receiver's last acknowledgement: when to look at it again, and when
 * to give up.
 */
#ifndef ATTLSD_GATEWAY_WORKER_DATA_SETTLE_H
#define ATTLSD_GATEWAY_WORKER_DATA_SETTLE_H

#include <stdint.h>

/* All zero: no look has been taken. */
struct data_settle {
	uint32_t wait_ms;  /* until the next look */
	uint64_t bytes;	   /* not yet acknowledged at the last look, */
	uint64_t since_ms; /* and when that last changed */
};

/* The last bytes are sent; `bytes` of them are not acknowledged. */
void data_settle_begin(struct data_settle *settle, uint64_t bytes, uint64_t now_ms);

/* In how many milliseconds to look again; 0: nothing has been acknowledged for limit_ms. */
uint32_t data_settle_wait_ms(struct data_settle *settle, uint64_t bytes, uint64_t now_ms, uint64_t limit_ms);

#endif
