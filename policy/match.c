/*
 * Finds the rule for a new control connection: the first rule of the sorted array
 * whose listener, direction, addresses and times all match (TTLSRule).
 */
#include "policy/match.h"

#include <string.h>

static bool ranges_match(const struct ip_range *ranges, size_t n, const struct ip_addr *addr)
{
	for (size_t i = 0; i < n; i++)
		if (ip_range_contains(&ranges[i], addr))
			return true;
	return n == 0;
}

bool policy_direction_fits(const struct policy_rule *rule, const struct policy_listener *listener)
{
	return rule->direction == DIRECTION_BOTH ||
	       (rule->direction == DIRECTION_OUTBOUND) == (listener->tls == LISTENER_NONE);
}

bool policy_rule_takes(const struct policy_rule *rule, const struct policy_listener *listener)
{
	if (!policy_direction_fits(rule, listener))
		return false;
	for (size_t i = 0; i < rule->nlisteners; i++)
		if (rule->listeners[i] == listener)
			return true;
	return rule->nlisteners == 0;
}

bool policy_hosts_have(const struct policy_host *hosts, size_t n, const struct ip_addr *addr)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < hosts[i].naddresses; j++)
			if (ip_addr_equal(&hosts[i].addresses[j], addr))
				return true;
	return false;
}

bool policy_is_proxy(const struct policy_listener *listener, const struct ip_addr *addr)
{
	return listener->nproxies > 0 && ranges_match(listener->proxies, listener->nproxies, addr);
}

const struct policy_rule *policy_match(const struct policy *policy, const struct policy_flow *flow)
{
	for (size_t i = 0; i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (policy_rule_takes(rule, flow->listener) &&
		    ranges_match(rule->remote_addrs, rule->nremote_addrs, &flow->remote) &&
		    ranges_match(rule->local_addrs, rule->nlocal_addrs, &flow->local) &&
		    (rule->ndestinations == 0 ||
		     policy_hosts_have(rule->destinations, rule->ndestinations, &flow->local)) &&
		    policy_times_hold(rule->times, rule->ntimes, flow->at_s))
			return rule;
	}
	return NULL;
}
