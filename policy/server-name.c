/*
 * Finds the name of a server. A client whose connection was redirected (address:
 * original) says only where it goes, so the policy's names are searched for that
 * address.
 */
#include "policy/server-name.h"

static const char *name_of(const struct policy_host *hosts, size_t n, const struct ip_addr *addr)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < hosts[i].naddresses; j++)
			if (ip_addr_equal(&hosts[i].addresses[j], addr))
				return hosts[i].name;
	return NULL;
}

const char *policy_server_name(const struct policy_rule *rule, const struct policy_server *server,
			       const struct ip_addr *addr, char text[static IP_TEXT_MAX])
{
	const struct policy_backend *backend = rule->backend;
	const char *name = name_of(backend->hosts, backend->nhosts, addr);

	if (name == NULL && backend->nhosts > 0)
		return NULL;
	if (backend->hostname != NULL)
		return backend->hostname;
	if (server->host != NULL)
		return server->host;
	if (name == NULL)
		name = name_of(rule->destinations, rule->ndestinations, addr);
	return name != NULL ? name : ip_addr_format(addr, text);
}
