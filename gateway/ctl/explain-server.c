/*
 * Explains the leg to a server that speaks TLS: how TLS begins and what the server has
 * to prove. The settings themselves are printed as those of any other tls_action.
 */
#include "gateway/ctl/explain-server.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/util.h"

#define TEXT_MAX 512

static const char *begin_of(const struct server_security *security)
{
	switch (security->mechanism) {
	case SECURE_MECHANISM_TLS:
		return "AUTH TLS";
	case SECURE_MECHANISM_SSL:
		return "AUTH SSL";
	case SECURE_MECHANISM_IMPLICIT:
		return security->secureimplicitzos ? "the handshake, after a 220 in the clear"
						   : "the handshake";
	}
	return "";
}

static const char *authority_of(const struct policy_keyring *ring)
{
	if (ring == NULL || (ring->trust == NULL && !ring->trust_system))
		return NULL;
	return ring->trust_system ? "the authorities of the system" : ring->trust;
}

/* What the certificate must name, and who must have signed it. Pins stand alone or come on top. */
static void put_checks(struct explain_maker *maker, json_t *to, const struct policy_rule *rule,
		       const struct ip_addr *server)
{
	const struct tls_action *tls = rule->backend->tls;
	const char *authority = authority_of(tls->keyring);
	char address[IP_TEXT_MAX], text[TEXT_MAX];
	const char *name = policy_server_name(rule, &rule->backend->servers[0], server, address);

	if (name == NULL) {
		(void)snprintf(
		    text, sizeof(text),
		    "421 and no connection: \"hosts\" of backends \"%s\" has no name with this address",
		    rule->backend->name);
		explain_put(maker, to, "server_is", json_string(text));
		return;
	}
	explain_put(maker, to, "server_is", explain_text(name));
	if (authority == NULL)
		(void)snprintf(text, sizeof(text), "one of \"pins\", nothing else");
	else
		(void)snprintf(text, sizeof(text), "a chain to %s%s%s%s%s", authority,
			       tls->keyring->crl != NULL ? ", no revocation" : "",
			       tls->secure_hostname == SECURE_HOSTNAME_REQUIRED ? ", the name "
										: ", any name",
			       tls->secure_hostname == SECURE_HOSTNAME_REQUIRED ? name : "",
			       tls->npins > 0 ? ", one of \"pins\"" : "");
	explain_put(maker, to, "server_proves", explain_text(text));
}

void explain_server(struct explain_maker *maker, json_t *to, const struct policy_rule *rule,
		    const struct ip_addr *server)
{
	const struct policy_keyring *ring = rule->backend->tls->keyring;

	explain_put(maker, to, "begins_with", json_string(begin_of(&rule->backend->security)));
	put_checks(maker, to, rule, server);
	explain_put(maker, to, "own_certificate",
		    ring != NULL && ring->ncertificates > 0 ? explain_text(ring->certificates[0].chain)
							    : json_string("none"));
}

bool explain_server_owns(const char *key)
{
	static const char *const keys[] = { "hostname",		 "hosts",
					    "secure_mechanism",	 "secure_ctrlconn",
					    "secure_dataconn",	 "secure_session_reuse",
					    "secureimplicitzos", "ccc",
					    "tlsrfclevel" };

	for (size_t i = 0; i < NELEM(keys); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

void explain_server_without_effect(struct explain_maker *maker, json_t *to,
				   const struct policy_backend *backend)
{
	static const char *const of_servers[] = { "client_auth_type", "server_handshake_sni",
						  "session_ticket_rotation", "session_ticket_keys" };
	json_t *server = json_array(), *action = json_array();

	if (backend->security.mechanism != SECURE_MECHANISM_IMPLICIT)
		explain_add(maker, server, json_string("secureimplicitzos"));
	if (backend->security.ccc == SERVER_CCC_NEVER)
		explain_add(maker, server, json_string("tlsrfclevel"));
	if (!backend->original)
		explain_add(maker, server, json_string("hosts"));
	for (size_t i = 0; i < NELEM(of_servers); i++)
		explain_add(maker, action, json_string(of_servers[i]));
	explain_put(maker, to, "server", server);
	explain_put(maker, to, "server_tls", action);
}
