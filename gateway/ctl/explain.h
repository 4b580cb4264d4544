/*
 * Explains what happens to a client: the rule that matches and why earlier ones do
 * not, the settings in force, the answers to its commands.
 */
#ifndef ATTLSD_GATEWAY_CTL_EXPLAIN_H
#define ATTLSD_GATEWAY_CTL_EXPLAIN_H

#include "policy/policy.h"

struct identity;
struct json_t;
struct users;

/*
 * flow->local may be the listener's wildcard address if no rule has local_addr.
 * identity is that of the client's certificate, which TLS is assumed to accept; it
 * and users may both be NULL. The caller owns the result; NULL: no memory.
 */
struct json_t *explain_make(const struct policy *policy, const struct policy_flow *flow,
			    const struct identity *identity, const struct users *users);

#endif
