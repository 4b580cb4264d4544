/*
 * What the checks across objects share: the policy, where its values stand, and how
 * they report a fault at one of them. Inside policy/ only.
 */
#ifndef ATTLSD_POLICY_RULE_CHECK_H
#define ATTLSD_POLICY_RULE_CHECK_H

#include <stdbool.h>

#include "policy/diag.h"
#include "policy/ip.h"
#include "policy/locations.h"
#include "policy/match.h"
#include "policy/types.h"

struct check {
	const struct policy *policy;
	const struct locations *locations;
	struct diags *diags;
};

/* Report at the value of `key` of `object`; the rest is a format and its arguments. */
#define check_error(check, code, object, key, ...)                                                           \
	diags_add((check)->diags, DIAG_ERROR, (code), locations_mark((check)->locations, (object), (key)),   \
		  __VA_ARGS__)
#define check_warn(check, code, object, key, ...)                                                            \
	diags_add((check)->diags, DIAG_WARNING, (code), locations_mark((check)->locations, (object), (key)), \
		  __VA_ARGS__)
/* The fault that was just reported has to do with this key, too. */
#define check_see(check, object, key, ...)                                                                   \
	diags_see((check)->diags, NULL, locations_mark((check)->locations, (object), (key)), __VA_ARGS__)

/* Does the policy's text have this key? */
static inline bool check_is_given(const struct check *c, const void *object, const char *key)
{
	return locations_find(c->locations, object, key) != NULL;
}

/* Where the policy names a server: the entry of "addresses", or the key "address". */
static inline struct diag_mark check_server_mark(const struct check *c, const struct policy_backend *backend,
						 const struct policy_server *server)
{
	return backend->balanced ? server->mark : locations_mark(c->locations, backend, "address");
}

/* Can no two sockets listen on these? Port 0 is none. */
static inline bool check_collide(const struct ip_endpoint *a, const struct ip_endpoint *b)
{
	return a->port != 0 && a->port == b->port && a->addr.family == b->addr.family &&
	       (ip_addr_equal(&a->addr, &b->addr) || ip_addr_is_any(&a->addr) || ip_addr_is_any(&b->addr));
}

/* The next listener from *i on whose connections the rule can match; NULL: no more. */
static inline const struct policy_listener *check_next_listener(const struct check *c,
								const struct policy_rule *rule, size_t *i)
{
	size_t n = rule->nlisteners > 0 ? rule->nlisteners : c->policy->nlisteners;

	while (*i < n) {
		const struct policy_listener *listener =
		    rule->nlisteners > 0 ? rule->listeners[*i] : &c->policy->listeners[*i];

		(*i)++;
		if (policy_direction_fits(rule, listener))
			return listener;
	}
	return NULL;
}

/* Has the object no fault of its own? */
static inline bool check_is_valid(const struct check *c, const void *object)
{
	return locations_is_valid(c->locations, object);
}

#endif
