/*
 * How much of the monitor's time one worker may take. Internal to gateway/monitor.
 *
 * The monitor spends at most half of its time on one worker, in turns of 2 ms. A worker that
 * floods it delays the requests of other workers, and the greetings of their clients, by no more than one
 * such turn.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_CHILD_DEBT_H
#define ATTLSD_GATEWAY_MONITOR_CHILD_DEBT_H

#include <stdbool.h>
#include <stdint.h>

/* All zeros: it owes nothing. */
struct child_debt {
	uint64_t owed_us;  /* processor time of the monitor that the worker took and has not paid back */
	uint64_t since_us; /* when that was counted, of the clock of loop_clock_us() */
	uint64_t spent_us; /* processor time of the monitor when that was counted */
};

/* Before the worker's messages are read: the time since the last ones pays its debt back. */
void child_debt_begin(struct child_debt *debt);

/* After each of them. */
void child_debt_charge(struct child_debt *debt);

/* Its doorbell rang: that costs a turn of the loop. */
void child_debt_ring(struct child_debt *debt);

/* Is its turn over? Then the monitor reads no more messages of this worker for a while. */
bool child_debt_is_due(const struct child_debt *debt);

#endif
