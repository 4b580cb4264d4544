/* Finds the rule of a connection, and says which connections a rule is for. */
#ifndef ATTLSD_POLICY_MATCH_H
#define ATTLSD_POLICY_MATCH_H

#include <stdbool.h>

#include "policy/ip.h"
#include "policy/types.h"

/* Is this one of the load balancers that a listener trusts? */
bool policy_is_proxy(const struct policy_listener *listener, const struct ip_addr *addr);

/* Does the rule's direction include connections to this listener? */
bool policy_direction_fits(const struct policy_rule *rule, const struct policy_listener *listener);

/* May a connection to this listener match the rule, whatever its addresses? */
bool policy_rule_takes(const struct policy_rule *rule, const struct policy_listener *listener);

/* Is this address one of the hosts'? */
bool policy_hosts_have(const struct policy_host *hosts, size_t n, const struct ip_addr *addr);

/* The first rule that matches, or NULL: refuse the connection (TTLSRule semantics). */
const struct policy_rule *policy_match(const struct policy *policy, const struct policy_flow *flow);

#endif
