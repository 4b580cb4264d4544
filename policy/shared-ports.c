/*
 * Finds the ports that clients of different addresses share. The monitor opens them,
 * and attlsctl explains and checks them.
 */
#include "policy/shared-ports.h"

#include "policy/match.h"

bool policy_port_covers(const struct ip_endpoint *at, const struct ip_endpoint *to)
{
	if (at->port != to->port || at->addr.family != to->addr.family)
		return false;
	return ip_addr_is_any(&at->addr) || ip_addr_equal(&at->addr, &to->addr);
}

struct list {
	struct ip_endpoint *items;
	size_t n, max;
};

static void add(struct list *list, const struct ip_endpoint *endpoint)
{
	size_t stored = list->n < list->max ? list->n : list->max;

	for (size_t i = 0; i < stored; i++)
		if (policy_port_covers(&list->items[i], endpoint))
			return;
	if (list->n < list->max)
		list->items[list->n] = *endpoint;
	list->n++;
}

static void add_ports(struct list *list, const struct policy_rule *rule, struct ip_endpoint at)
{
	const struct port_range *range = &rule->ftp->passivedataports;

	for (uint32_t port = range->low; port != 0 && port <= range->high; port++) {
		at.port = (uint16_t)port;
		add(list, &at);
	}
}

/* Those of listeners with any address of the host, or those with one address. */
static void add_all(struct list *list, const struct policy *policy, bool any)
{
	for (size_t i = 0; i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (rule->ftp->passivedatashare != PASSIVEDATASHARE_SOURCE)
			continue;
		for (size_t j = 0; j < policy->nlisteners; j++) {
			const struct policy_listener *listener = &policy->listeners[j];

			if (policy_rule_takes(rule, listener) && !listener->transparent &&
			    ip_addr_is_any(&listener->endpoint.addr) == any)
				add_ports(list, rule, listener->endpoint);
		}
	}
}

size_t policy_shared_ports(const struct policy *policy, struct ip_endpoint *ret, size_t max)
{
	struct list list = { .items = ret, .max = max };

	add_all(&list, policy, true); /* first, since they cover others */
	add_all(&list, policy, false);
	return list.n;
}
