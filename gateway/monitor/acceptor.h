/*
 * The way of a new connection to a worker. Belongs to the monitor, like everything
 * that it points to.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_ACCEPTOR_H
#define ATTLSD_GATEWAY_MONITOR_ACCEPTOR_H

#include <stdbool.h>

#include "gateway/base/loop.h"
#include "gateway/monitor/admission.h"
#include "gateway/monitor/audit-source.h"
#include "gateway/monitor/children.h"
#include "gateway/monitor/listen.h"
#include "gateway/monitor/login-queue.h"

/* Refused connections that the audit trail has. */
struct refusals {
	uint64_t second;
	uint32_t n;	   /* in this second */
	uint64_t unlisted; /* without an event of their own, since the last one that has one */
};

struct acceptor {
	struct loop *loop;
	struct children *children;
	struct admission *admission;
	struct login_queue *logins;
	struct listener_set *listeners;
	struct generation *const *current; /* the one that gets new sessions */
	struct timer pause;
	bool closed;			  /* by acceptor_close() */
	const struct audit_source *audit; /* NULL: none */
	const bool *refuses;		  /* an operator wants no new sessions; NULL: cannot happen */
	struct refusals refusals;
};

void acceptor_init(struct acceptor *acceptor, struct loop *loop, struct children *children,
		   struct admission *admission, struct login_queue *logins, struct listener_set *listeners,
		   struct generation *const *current);

/* For the listeners' watches; each listener's owner is the acceptor. */
void acceptor_on_listener(struct watch *watch, uint32_t ready);

/* Accept again, for example because a worker has become ready. */
void acceptor_resume(struct acceptor *acceptor);

/* Another attlsd accepts from the same sockets now, until acceptor_open(). */
void acceptor_close(struct acceptor *acceptor);
void acceptor_open(struct acceptor *acceptor);

#endif
