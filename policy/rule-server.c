/*
 * Checks of backends that speak TLS: their keys, the tls_action for them, and the rules
 * that lead there.
 */
#include "policy/rule-server.h"

#include "policy/rule-check.h"

static void check_port(const struct check *c, const struct policy_backend *backend)
{
	if (!backend->original && backend->endpoint.port == 0)
		check_error(c, backend, "address",
			    "\"address\" must be host:port: only with \"tls\" and \"secure_mechanism: "
			    "implicit\" the port may be left out, which is 990 then");
}

void rule_server_check(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	const struct check c = { .policy = policy, .locations = locations, .diags = diags };

	for (size_t i = 0; i < policy->nbackends; i++)
		if (check_is_valid(&c, &policy->backends[i]))
			check_port(&c, &policy->backends[i]);
}
