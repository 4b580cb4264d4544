/*
 * Counts the processor time that the monitor spends on one worker. A busy machine that keeps the monitor
 * waiting for a processor is not the worker's doing: if that time counted, too, the monitor would leave
 * reports unread that make room for clients, and refuse them.
 */
#include "gateway/monitor/child-debt.h"

#include <time.h>

#include "gateway/base/loop.h"

#define TURN_US 2000
#define RING_US 5

/* The monitor has one thread. */
static uint64_t spent_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts); /* cannot fail: the clock exists */
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

void child_debt_begin(struct child_debt *debt)
{
	uint64_t now_us = loop_clock_us();
	uint64_t paid_us = now_us - debt->since_us;

	debt->owed_us -= paid_us < debt->owed_us ? paid_us : debt->owed_us;
	debt->since_us = now_us;
	debt->spent_us = spent_us();
}

void child_debt_charge(struct child_debt *debt)
{
	uint64_t now_us = spent_us();

	debt->owed_us += now_us - debt->spent_us;
	debt->spent_us = now_us;
	debt->since_us = loop_clock_us(); /* the time that it took pays nothing back */
}

void child_debt_ring(struct child_debt *debt)
{
	debt->owed_us += RING_US;
}

bool child_debt_is_due(const struct child_debt *debt)
{
	return debt->owed_us > TURN_US;
}
