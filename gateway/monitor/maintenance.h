/*
 * Maintenance: an operator has asked for this node to be emptied. It is not ready for load
 * balancers, its sessions go on, and after an optional time attlsd drains.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_MAINTENANCE_H
#define ATTLSD_GATEWAY_MONITOR_MAINTENANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/base/loop.h"

/* For the longest time that an operator can mean. */
#define MAINTENANCE_END_MAX_S (30 * 24 * 3600)

struct maintenance {
	struct loop *loop;
	bool on;
	bool refuses;	   /* new sessions get 421 */
	uint64_t since_ms; /* of the clock of loop_clock_us(), as end_ms */
	uint64_t end_ms;   /* attlsd drains then; 0: it does not */
	struct timer end;
	void (*on_end)(struct maintenance *maintenance);
};

void maintenance_init(struct maintenance *maintenance, struct loop *loop,
		      void (*on_end)(struct maintenance *maintenance));

/*
 * Begin, or change one that is on: since_ms stays then. end_after_s 0: it never drains. Returns 0 or
 * -ENOMEM: nothing has changed.
 */
int maintenance_begin(struct maintenance *maintenance, bool refuses, uint32_t end_after_s);
void maintenance_end(struct maintenance *maintenance);

/* Go on with what another attlsd has begun, whose end may be due already. */
int maintenance_adopt(struct maintenance *maintenance, bool refuses, uint64_t since_ms, uint64_t end_ms);

/* What operators hear of it. */
void maintenance_describe(const struct maintenance *maintenance, struct answer_gateway *gateway);

#endif
