/*
 * Orders the health checks of servers from workers (backends.*.health.check): when, from
 * which worker, and how many at a time. A result is one word among others, see
 * server-health.h.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_CHECKS_H
#define ATTLSD_GATEWAY_MONITOR_CHECKS_H

#include "gateway/base/loop.h"
#include "gateway/monitor/backends.h"
#include "gateway/monitor/children.h"

struct checks {
	struct loop *loop;
	struct backends *backends;
	struct generation *const *current; /* whose workers check; NULL: none serves */
	struct timer timer;
	uint32_t last; /* number of a check */
};

/* backends and current outlive it. Checks run as soon as a policy in force wants them. */
void checks_init(struct checks *checks, struct loop *loop, struct backends *backends,
		 struct generation *const *current);

/* Another policy is in force, or a server may have to be checked sooner. */
void checks_hurry(struct checks *checks);

/* A worker reports the result of a check. Nothing happens if it was not ordered from that worker. */
void checks_take(struct checks *checks, uint32_t number, enum server_failure failure,
		 const struct backend_witness *witness);

/* The worker has died: others make its checks. */
void checks_forget_worker(struct checks *checks, pid_t worker);

#endif
