/*
 * Finds the rule for a new control connection: the first rule of the sorted array
 * whose listener, client address and local address all match (TTLSRule).
 */
#include "policy/match.h"

#include <string.h>

static bool nets_match(const struct ip_net *nets, size_t n, const struct ip_addr *addr)
{
	for (size_t i = 0; i < n; i++)
		if (ip_net_contains(&nets[i], addr))
			return true;
	return n == 0;
}

static bool listeners_match(const struct policy_rule *rule, const struct policy_listener *listener)
{
	for (size_t i = 0; i < rule->nlisteners; i++)
		if (rule->listeners[i] == listener)
			return true;
	return rule->nlisteners == 0;
}

bool policy_is_proxy(const struct policy_listener *listener, const struct ip_addr *addr)
{
	return listener->nproxies > 0 && nets_match(listener->proxies, listener->nproxies, addr);
}

const struct policy_rule *policy_match(const struct policy *policy, const struct policy_flow *flow)
{
	for (size_t i = 0; i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (listeners_match(rule, flow->listener) &&
		    nets_match(rule->remote_addrs, rule->nremote_addrs, &flow->remote) &&
		    nets_match(rule->local_addrs, rule->nlocal_addrs, &flow->local))
			return rule;
	}
	return NULL;
}
