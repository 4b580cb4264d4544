/* What explain says about TLS with the server. */
#ifndef ATTLSD_GATEWAY_CTL_EXPLAIN_SERVER_H
#define ATTLSD_GATEWAY_CTL_EXPLAIN_SERVER_H

#include "gateway/ctl/explain-json.h"

/* Add how TLS begins with the server at this address, and what its certificate is checked for. */
void explain_server(struct explain_maker *maker, json_t *to, const struct policy_rule *rule,
		    const struct ip_addr *server);

/* Is this key of backends about TLS with the server? */
bool explain_server_owns(const char *key);

/* Add the keys of backends and of the action toward the server that mean nothing with this policy. */
void explain_server_without_effect(struct explain_maker *maker, json_t *to,
				   const struct policy_backend *backend);

#endif
