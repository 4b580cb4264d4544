/*
 * What the monitor does for workers with its privileges: it makes sockets bound to
 * other hosts' addresses, and announces data connections to the kernel.
 *
 * The monitor judges each request by what it knows itself: the session, its
 * addresses, whether its user has logged in, and the rule that covers it. A worker
 * that asks for anything else must be under an attacker's control, so the caller
 * kills it.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_PRIVILEGED_H
#define ATTLSD_GATEWAY_MONITOR_PRIVILEGED_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/msg.h"
#include "gateway/monitor/admission.h"
#include "policy/policy.h"

struct announced;

struct privileged {
	enum nat_conntrack mechanism; /* fixed at start: a dropped capability cannot be regained */
	struct conntrack *conntrack;
	struct nftset *nftset;
	struct announced *announced; /* by session, at most one each */
	bool net_admin;
	bool failure_logged;
};

/*
 * Open what the policy needs, before privileges are dropped. path is that of the
 * policy. Returns 0, or a negative errno after printing the reason and its fix to
 * stderr.
 */
int privileged_start(struct privileged *privileged, const struct policy *policy, const char *path);
void privileged_done(struct privileged *privileged);

/* Can a reload bring this policy into force? Returns 0, or -EPERM after printing why not. */
int privileged_allows(const struct privileged *privileged, const struct policy *policy, const char *path);

/*
 * Carry out one request. Returns NULL and the answer, with a descriptor in *ret_fd
 * that the caller sends and closes, or -1; answer->type is MSG_NONE for a request
 * without an answer. Returns a reason for the log if the request is not permitted.
 * server: the one that the session has, if its backend has several; NULL: none yet.
 */
const char *privileged_request(struct privileged *privileged, const struct policy *policy,
			       const struct admission_facts *facts, const struct policy_server *server,
			       const struct msg *msg, struct msg *ret_answer, int *ret_fd);

/* The rule that covers a session; NULL: none. Wrong behind a load balancer, whose address it is found by. */
const struct policy_rule *privileged_rule(const struct policy *policy, const struct admission_facts *facts);

/* A session is over: withdraw its announced connection. */
void privileged_session_end(struct privileged *privileged, uint64_t session);

#endif
