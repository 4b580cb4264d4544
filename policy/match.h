/* Finds the rule of a connection. */
#ifndef ATTLSD_POLICY_MATCH_H
#define ATTLSD_POLICY_MATCH_H

#include <stdbool.h>

#include "policy/ip.h"
#include "policy/types.h"

/* Is this one of the load balancers that a listener trusts? */
bool policy_is_proxy(const struct policy_listener *listener, const struct ip_addr *addr);

/* The first rule that matches, or NULL: refuse the connection (TTLSRule semantics). */
const struct policy_rule *policy_match(const struct policy *policy, const struct policy_flow *flow);

#endif
