/*
 * What would happen to a client: the rule that matches it and why the earlier
 * ones do not, the settings in force, the answers to its commands.
 */
#ifndef ATTLSD_GATEWAY_CTL_EXPLAIN_H
#define ATTLSD_GATEWAY_CTL_EXPLAIN_H

#include "policy/policy.h"

struct identity;
struct json_t;
struct users;

/*
 * flow->local may be the listener's wildcard address where no rule asks for
 * local_addr. identity: of the client's certificate, which TLS is taken to accept,
 * and the policy's users, or NULL for both. The result is the caller's; NULL: no
 * memory.
 */
struct json_t *explain_make(const struct policy *policy, const struct policy_flow *flow,
			    const struct identity *identity, const struct users *users);

#endif
