/*
 * Gives all workers the same seeds for the keys of session tickets: those of before its
 * start come with the fork, later ones with MSG_TICKET_SEED. Seeds for tls_actions with
 * session_ticket_keys are made of secrets and the time, and come with MSG_TICKET_PART.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_TICKET_SOURCE_H
#define ATTLSD_GATEWAY_MONITOR_TICKET_SOURCE_H

#include <stdbool.h>

#include "gateway/base/loop.h"
#include "gateway/tls/ticket-secrets.h"
#include "policy/policy.h"

struct children;

struct ticket_source {
	struct loop *loop;
	struct children *children; /* children->tickets has the seeds */
	struct timer timer;	   /* until the next seed is due */
	struct timer epoch;	   /* until the time is to be looked at again */
	bool untold;		   /* a worker had no room for its sets */
	bool held;		   /* by ticket_source_hold() */
};

/* Makes children->user_key, too. Returns 0, or -EIO: no random numbers. */
int ticket_source_init(struct ticket_source *source, struct loop *loop, struct children *children);

/*
 * Have seeds for a policy whose generation is about to start. Moves the secrets of its files to *ret_keys,
 * which the generation gets. Returns 0 or -ENOMEM.
 */
int ticket_source_prepare(struct ticket_source *source, const struct policy *policy,
			  struct ticket_secrets **secrets, struct ticket_keys *ret_keys);

/* While an upgrade is under way, nobody may make seeds that the other side does not have. */
void ticket_source_hold(struct ticket_source *source, bool hold);

void ticket_source_done(struct ticket_source *source);

#endif
