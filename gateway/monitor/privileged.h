/*
 * What the monitor does for workers with its privileges: sockets bound to other
 * hosts' addresses, and announcing data connections to the kernel.
 *
 * Every request is judged by what the monitor itself knows: the session, where
 * it is from and to, whether its user has logged in, and the rule of the policy
 * that covers it. A worker that asks for anything that its session has not
 * permitted has been taken over: it is killed by the caller.
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
	enum nat_conntrack mechanism; /* fixed at start: capabilities cannot be had back */
	struct conntrack *conntrack;
	struct nftset *nftset;
	struct announced *announced; /* by session: at most one each */
	bool net_admin;
	bool failure_logged;
};

/*
 * Open what the policy needs, while privileges are there. Returns 0; or a negative
 * errno, and the reason and its fix have been printed to stderr. path: of the
 * policy.
 */
int privileged_start(struct privileged *privileged, const struct policy *policy, const char *path);
void privileged_done(struct privileged *privileged);

/* May a reload bring this policy? Returns 0; or -EPERM, and what stands against it has been printed. */
int privileged_allows(const struct privileged *privileged, const struct policy *policy, const char *path);

/*
 * Carry out one request. Returns true and the answer (with *ret_fd, the
 * caller's to send and close, or -1), or with answer->type MSG_NONE for a
 * request that gets none; false: not permitted.
 */
bool privileged_request(struct privileged *privileged, const struct policy *policy,
			const struct admission_facts *facts, const struct msg *msg, struct msg *ret_answer,
			int *ret_fd);

/* A session is over: withdraw what was announced for it. */
void privileged_session_end(struct privileged *privileged, uint64_t session);

#endif
