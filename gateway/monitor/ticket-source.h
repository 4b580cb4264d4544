/*
 * Gives all workers the same seeds for the keys of session tickets: those of before its
 * start come with the fork, later ones with MSG_TICKET_SEED.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_TICKET_SOURCE_H
#define ATTLSD_GATEWAY_MONITOR_TICKET_SOURCE_H

#include <stdbool.h>

#include "gateway/base/loop.h"
#include "policy/policy.h"

struct children;

struct ticket_source {
	struct loop *loop;
	struct children *children; /* children->tickets has the seeds */
	struct timer timer;	   /* until the next seed is due */
	bool held;		   /* by ticket_source_hold() */
};

/* Makes children->user_key, too. Returns 0, or -EIO: no random numbers. */
int ticket_source_init(struct ticket_source *source, struct loop *loop, struct children *children);

/* Have seeds for a policy whose generation is about to start. Returns 0 or -ENOMEM. */
int ticket_source_prepare(struct ticket_source *source, const struct policy *policy);

/* While an upgrade is under way, nobody may make seeds that the other side does not have. */
void ticket_source_hold(struct ticket_source *source, bool hold);

void ticket_source_done(struct ticket_source *source);

#endif
