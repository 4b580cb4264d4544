/*
 * Warnings about match.time: conditions that no moment fulfils, and rules whose order is
 * an accident of their names while both apply.
 */
#include "policy/rule-time.h"

#include <strings.h>

#include "policy/rule-check.h"

static void warn_impossible(const struct check *c, const struct policy_rule *rule)
{
	size_t impossible = 0;

	for (size_t i = 0; i < rule->ntimes; i++) {
		if (policy_time_is_possible(&rule->times[i]))
			continue;
		impossible++;
		diags_add(
		    c->diags, DIAG_WARNING, DIAG_NEVER_MATCHES, rule->times[i].mark,
		    "\"time\" of rules \"%s\" has a condition that is never fulfilled: no moment has all "
		    "that it names; change a mask or a range",
		    rule->name);
	}
	if (impossible > 0 && impossible == rule->ntimes)
		diags_add(c->diags, DIAG_WARNING, DIAG_NEVER_MATCHES, rule->mark,
			  "rules \"%s\" can never match, because of its \"time\"", rule->name);
}

static bool listeners_meet(const struct policy *policy, const struct policy_rule *a,
			   const struct policy_rule *b)
{
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (policy_rule_takes(a, &policy->listeners[i]) &&
		    policy_rule_takes(b, &policy->listeners[i]))
			return true;
	return false;
}

static bool hosts_meet(const struct policy_rule *a, const struct policy_rule *b)
{
	for (size_t i = 0; i < a->ndestinations; i++)
		for (size_t j = 0; j < b->ndestinations; j++)
			if (strcasecmp(a->destinations[i].name, b->destinations[j].name) == 0)
				return true;
	return a->ndestinations == 0 || b->ndestinations == 0;
}

static bool times_meet(const struct policy_rule *a, const struct policy_rule *b)
{
	for (size_t i = 0; i < a->ntimes; i++)
		for (size_t j = 0; j < b->ntimes; j++)
			if (policy_time_meets(&a->times[i], &b->times[j]))
				return true;
	return false;
}

/* A rule without times is meant to fill the gaps of others; two with times should not meet. */
static void warn_overlap(const struct check *c, size_t index)
{
	const struct policy_rule *rule = &c->policy->rules[index];

	for (size_t i = index; i-- > 0 && c->policy->rules[i].priority == rule->priority;) {
		const struct policy_rule *earlier = &c->policy->rules[i];

		if (!listeners_meet(c->policy, earlier, rule) || !hosts_meet(earlier, rule) ||
		    !ip_ranges_meet(earlier->remote_addrs, earlier->nremote_addrs, rule->remote_addrs,
				    rule->nremote_addrs) ||
		    !ip_ranges_meet(earlier->local_addrs, earlier->nlocal_addrs, rule->local_addrs,
				    rule->nlocal_addrs) ||
		    !times_meet(earlier, rule))
			continue;
		diags_add(
		    c->diags, DIAG_WARNING, DIAG_TIMES_OVERLAP, rule->times[0].mark,
		    "\"time\" of rules \"%s\" overlaps that of rules \"%s\", which counts then, because "
		    "its name comes first; change a range, or give them different priorities",
		    rule->name, earlier->name);
		diags_see(c->diags, NULL, earlier->mark, "rules \"%s\"", earlier->name);
		return;
	}
}

void rule_time_warn(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	const struct check c = { .policy = policy, .locations = locations, .diags = diags };

	for (size_t i = 0; i < policy->nrules; i++) {
		if (policy->rules[i].ntimes == 0)
			continue;
		warn_impossible(&c, &policy->rules[i]);
		warn_overlap(&c, i);
	}
}
