/*
 * Is a server alive? Decided from what workers report about it, with hysteresis, so
 * that one lost packet changes nothing.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_SERVER_HEALTH_H
#define ATTLSD_GATEWAY_MONITOR_SERVER_HEALTH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/server-failure.h"
#include "policy/policy.h"

/* All zero: up, and nothing is known yet. */
struct server_health {
	bool down;
	uint32_t failed, succeeded; /* in a row; failed: as said by different workers, see below */
	pid_t failed_by, succeeded_by;
	enum server_failure failure; /* the last one; NONE: there was none since it was up */
	uint64_t retry_ms;	     /* a server that failed is tried again from then on */
};

enum server_change { SERVER_CHANGE_NONE = 0, SERVER_CHANGE_DOWN, SERVER_CHANGE_UP };

/*
 * Worker `by` has reached the server (NONE) or has not. others: more than one worker
 * reports. Then a worker that repeats itself counts once: a worker that an attacker has
 * taken over cannot take a server down that works for the others.
 */
enum server_change server_health_take(struct server_health *health, const struct policy_health *limits,
				      enum server_failure failure, pid_t by, bool others, uint64_t now_ms);

/* How good a choice it is for a session now. */
enum balance_class server_health_class(const struct server_health *health, const struct policy_health *limits,
				       uint64_t now_ms);

/* A session is about to try it: others wait for its result. */
void server_health_tried(struct server_health *health, const struct policy_health *limits, uint64_t now_ms);

#endif
