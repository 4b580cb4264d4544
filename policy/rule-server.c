/*
 * Checks of TLS toward servers, and of the clients in the clear that it is often for:
 * tls_actions with handshake_role client, the backends that use them, and listeners
 * with tls: none.
 */
#include "policy/rule-server.h"

#include "policy/nelem.h"
#include "policy/rule-check.h"

static bool has_trust(const struct policy_keyring *ring)
{
	return ring != NULL && (ring->trust != NULL || ring->trust_system);
}

/* Something must verify the server, or anybody could be it. */
static void check_trust(const struct check *c, const struct tls_action *tls)
{
	if (tls->npins > 0 || (tls->keyring != NULL && !check_is_valid(c, tls->keyring)))
		return;
	if (tls->keyring == NULL)
		check_error(
		    c, DIAG_NO_TRUST, tls, "handshake_role",
		    "tls_actions \"%s\" verifies servers, but has neither \"keyring\" nor \"pins\"; add a "
		    "key ring with \"trust\" (\"*AUTH*/*\" for the authorities of the system)",
		    tls->name);
	else if (!has_trust(tls->keyring)) {
		check_error(
		    c, DIAG_NO_TRUST, tls, "keyring",
		    "tls_actions \"%s\" verifies servers, but keyrings \"%s\" has no \"trust\"; add it "
		    "(\"*AUTH*/*\" for the authorities of the system), or \"pins\" here",
		    tls->name, tls->keyring->name);
		check_see(c, tls->keyring, NULL, "keyrings \"%s\"", tls->keyring->name);
	}
}

/* Keys that only one side of a handshake has, or a side that verifies the other. Where they have no effect, a
 * policy promises too much. */
static void check_role_keys(const struct check *c, const struct tls_action *tls)
{
	static const char *const of_client[] = { "secure_hostname", "pins" };
	static const char *const of_server[] = { "client_auth_type", "server_handshake_sni",
						 "session_ticket_rotation", "session_ticket_keys" };
	static const char *const of_verifier[] = { "peer_min_rsa_key_size", "peer_min_ecc_key_size" };
	bool client = tls->role == ROLE_CLIENT;
	size_t n = client ? NELEM(of_server) : NELEM(of_client);

	for (size_t i = 0; i < n; i++) {
		const char *key = client ? of_server[i] : of_client[i];

		if (check_is_given(c, tls, key))
			check_error(c, DIAG_NO_EFFECT, tls, key,
				    "\"%s\" has no effect %s \"handshake_role: client\"; remove it", key,
				    client ? "with" : "without");
	}
	for (size_t i = 0; i < NELEM(of_verifier); i++)
		if (tls->role == ROLE_SERVER && check_is_given(c, tls, of_verifier[i]))
			check_error(c, DIAG_NO_EFFECT, tls, of_verifier[i],
				    "\"%s\" has no effect with \"handshake_role: server\", which asks for no "
				    "certificate; remove it",
				    of_verifier[i]);
}

static void check_port(const struct check *c, const struct policy_backend *backend)
{
	for (size_t i = 0; i < backend->nservers; i++)
		if (!backend->original && backend->servers[i].endpoint.port == 0)
			diags_add(c->diags, DIAG_ERROR, DIAG_NO_PORT,
				  check_server_mark(c, backend, &backend->servers[i]),
				  "\"address\" must be host:port; only with \"tls\" and \"secure_mechanism: "
				  "implicit\" the port may be left out, and is then 990");
}

/* Whoever writes them believes that the server speaks TLS. */
static void check_without_tls(const struct check *c, const struct policy_backend *backend)
{
	static const char *const keys[] = {
		"hostname",	   "hosts",	      "secure_mechanism",     "secureimplicitzos",
		"secure_ctrlconn", "secure_dataconn", "secure_session_reuse", "ccc",
		"tlsrfclevel"
	};

	for (size_t i = 0; i < NELEM(keys); i++)
		if (check_is_given(c, backend, keys[i]))
			check_error(c, DIAG_NO_EFFECT, backend, keys[i],
				    "\"%s\" of backends \"%s\" has no effect without \"tls\"; add that, or "
				    "remove it",
				    keys[i], backend->name);
}

/* The name of a server that only the client knows has to come from somewhere. */
static void check_name(const struct check *c, const struct policy_rule *rule)
{
	const struct policy_backend *backend = rule->backend;
	const struct tls_action *tls = check_is_valid(c, backend) ? backend->tls : NULL;

	if (check_is_valid(c, tls) && backend->original && backend->hostname == NULL &&
	    backend->nhosts == 0 && rule->ndestinations == 0 &&
	    tls->secure_hostname == SECURE_HOSTNAME_REQUIRED && has_trust(tls->keyring)) {
		check_error(
		    c, DIAG_NO_SERVER_NAME, rule, "backend",
		    "rules \"%s\" has no name of a server to verify, which \"secure_hostname: "
		    "required\" of tls_actions \"%s\" needs: with \"address: original\", give backends "
		    "\"%s\" \"hosts\", or the rule a \"destination\"",
		    rule->name, tls->name, backend->name);
		check_see(c, backend, NULL, "backends \"%s\"", backend->name);
	}
}

static void check_ccc(const struct check *c, const struct policy_backend *backend)
{
	const struct server_security *security = &backend->security;

	if (security->ccc != SERVER_CCC_AFTER_LOGIN)
		return;
	if (security->ctrlconn != SECURE_CLEAR) {
		check_error(c, DIAG_CCC_NOT_POSSIBLE, backend, "ccc",
			    "\"ccc: after_login\" of backends \"%s\" puts the control connection into the "
			    "clear, but \"secure_ctrlconn\" is %s; set that to clear",
			    backend->name, security->ctrlconn == SECURE_SAFE ? "safe" : "private");
		check_see(c, backend, "secure_ctrlconn", "\"secure_ctrlconn\"");
	} else if (security->mechanism == SECURE_MECHANISM_IMPLICIT) {
		check_error(c, DIAG_CCC_NOT_POSSIBLE, backend, "ccc",
			    "\"ccc: after_login\" of backends \"%s\" needs AUTH, which \"secure_mechanism: "
			    "implicit\" does not send; use tls, or ccc: never",
			    backend->name);
		check_see(c, backend, "secure_mechanism", "\"secure_mechanism\"");
	} else if (security->tlsrfclevel == TLSRFCLEVEL_DRAFT) {
		check_error(c, DIAG_CCC_NOT_POSSIBLE, backend, "tlsrfclevel",
			    "\"tlsrfclevel: draft\" does not permit \"ccc: after_login\"; use rfc4217");
		check_see(c, backend, "ccc", "\"ccc\"");
	}
}

/* As for clients, see check_level() and check_reuse() of rule.c. */
static void check_levels(const struct check *c, const struct policy_backend *backend)
{
	const struct server_security *security = &backend->security;
	const struct tls_action *tls = backend->tls;
	bool ctrl = security->ctrlconn == SECURE_PRIVATE;

	if (tls->null_ciphers && (ctrl || security->dataconn == SECURE_PRIVATE)) {
		check_error(
		    c, DIAG_NULL_CIPHER_PRIVATE, backend, "tls",
		    "\"%s\" of backends \"%s\" is private, but a cipher of tls_actions \"%s\" does not "
		    "encrypt; use safe, or remove the cipher",
		    ctrl ? "secure_ctrlconn" : "secure_dataconn", backend->name, tls->name);
		check_see(c, tls, "ciphers", "tls_actions \"%s\"", tls->name);
	}
	if (security->session_reuse != SESSION_REUSE_REQUIRED)
		return;
	if (security->dataconn == SECURE_NEVER) {
		check_error(c, DIAG_NO_EFFECT, backend, "secure_session_reuse",
			    "\"secure_session_reuse: required\" of backends \"%s\" has no effect with "
			    "\"secure_dataconn: never\"; remove one",
			    backend->name);
		check_see(c, backend, "secure_dataconn", "\"secure_dataconn\"");
	} else if (tls->session_timeout_s == 0) {
		check_error(
		    c, DIAG_NO_SESSION_REUSE, tls, "session_timeout",
		    "backends \"%s\" refuses every protected transfer: its \"secure_session_reuse\" is "
		    "required, but \"session_timeout\" of tls_actions \"%s\" is 0; give it a time",
		    backend->name, tls->name);
		check_see(c, backend, "secure_session_reuse", "backends \"%s\"", backend->name);
	}
}

static void check_backend(const struct check *c, const struct policy_backend *backend)
{
	const struct tls_action *tls = backend->tls;

	check_port(c, backend);
	if (backend->nhosts > 0 && !backend->original)
		check_error(
		    c, DIAG_NO_EFFECT, backend, "hosts",
		    "\"hosts\" of backends \"%s\" has no effect without \"address: original\"; remove it",
		    backend->name);
	if (tls == NULL) {
		check_without_tls(c, backend);
		return;
	}
	if (backend->security.secureimplicitzos && backend->security.mechanism != SECURE_MECHANISM_IMPLICIT)
		check_error(c, DIAG_NO_EFFECT, backend, "secureimplicitzos",
			    "\"secureimplicitzos\" of backends \"%s\" has no effect without "
			    "\"secure_mechanism: implicit\"; add that, or remove it",
			    backend->name);
	check_ccc(c, backend);
	if (!check_is_valid(c, tls))
		return;
	if (tls->role != ROLE_CLIENT) {
		check_error(
		    c, DIAG_WRONG_ROLE, backend, "tls",
		    "\"tls\" of backends \"%s\" needs tls_actions with \"handshake_role: client\", but "
		    "\"%s\" is for clients that connect to attlsd",
		    backend->name, tls->name);
		check_see(c, tls, "handshake_role", "tls_actions \"%s\"", tls->name);
		return;
	}
	check_levels(c, backend);
}

/* The key that keeps clients in the clear out, or NULL. */
static const char *demands_tls(const struct ftp_action *ftp)
{
	bool all = ftp->data_policy_scope == DATA_POLICY_ALL;

	if (ftp->secure_ftp == SECURE_FTP_REQUIRED)
		return "secure_ftp: required";
	if (all && ftp->secure_ctrlconn != SECURE_CLEAR)
		return ftp->secure_ctrlconn == SECURE_SAFE ? "secure_ctrlconn: safe"
							   : "secure_ctrlconn: private";
	if (all && (ftp->secure_dataconn == SECURE_SAFE || ftp->secure_dataconn == SECURE_PRIVATE))
		return ftp->secure_dataconn == SECURE_SAFE ? "secure_dataconn: safe"
							   : "secure_dataconn: private";
	return NULL;
}

/* Clients that cannot speak TLS, and a rule that demands it of them. */
static void check_clear_clients(const struct check *c, const struct policy_rule *rule)
{
	const char *demand = check_is_valid(c, rule->ftp) ? demands_tls(rule->ftp) : NULL;
	const struct policy_listener *listener;

	for (size_t i = 0; demand != NULL && (listener = check_next_listener(c, rule, &i)) != NULL;) {
		if (!check_is_valid(c, listener) || listener->tls != LISTENER_NONE)
			continue;
		check_error(
		    c, DIAG_CLEAR_CLIENT, rule, "ftp",
		    "ftp_actions \"%s\" has \"%s\", but clients of listeners \"%s\" never speak TLS; use one "
		    "with \"secure_ftp: allowed\", \"secure_ctrlconn: clear\" and \"secure_dataconn: "
		    "clear\" in rules \"%s\"",
		    rule->ftp->name, demand, listener->name, rule->name);
		check_see(c, listener, "tls", "listeners \"%s\"", listener->name);
		return;
	}
}

static void check_rule(const struct check *c, const struct policy_rule *rule)
{
	if (check_is_valid(c, rule->tls) && rule->tls->role == ROLE_CLIENT) {
		check_error(
		    c, DIAG_WRONG_ROLE, rule, "tls",
		    "\"tls\" of rules \"%s\" is for clients, but tls_actions \"%s\" has \"handshake_role: "
		    "client\", which is for servers; name it in \"tls\" of backends, and here one with "
		    "the role server",
		    rule->name, rule->tls->name);
		check_see(c, rule->tls, "handshake_role", "tls_actions \"%s\"", rule->tls->name);
	}
	check_clear_clients(c, rule);
	check_name(c, rule);
}

void rule_server_check(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	const struct check c = { .policy = policy, .locations = locations, .diags = diags };

	for (size_t i = 0; i < policy->ntls_actions; i++) {
		const struct tls_action *tls = &policy->tls_actions[i];

		if (!check_is_valid(&c, tls))
			continue;
		check_role_keys(&c, tls);
		if (tls->role == ROLE_CLIENT)
			check_trust(&c, tls);
	}
	for (size_t i = 0; i < policy->nbackends; i++)
		if (check_is_valid(&c, &policy->backends[i]))
			check_backend(&c, &policy->backends[i]);
	for (size_t i = 0; i < policy->nrules; i++)
		if (check_is_valid(&c, &policy->rules[i]))
			check_rule(&c, &policy->rules[i]);
}

void rule_server_warn(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	const struct check c = { .policy = policy, .locations = locations, .diags = diags };

	for (size_t i = 0; i < policy->nlisteners; i++) {
		const struct policy_listener *listener = &policy->listeners[i];

		if (listener->tls == LISTENER_NONE &&
		    (listener->transparent || !ip_addr_is_loopback(&listener->endpoint.addr)))
			check_warn(
			    &c, DIAG_CLEAR_NETWORK, listener, "tls",
			    "passwords and files of clients of listeners \"%s\" cross the network in the "
			    "clear, up to this host: let only a network that you trust reach it",
			    listener->name);
	}
	for (size_t i = 0; i < policy->nbackends; i++) {
		const struct policy_backend *backend = &policy->backends[i];

		if (check_is_given(&c, backend, "tlsrfclevel") && backend->security.ccc == SERVER_CCC_NEVER)
			check_warn(&c, DIAG_NO_EFFECT, backend, "tlsrfclevel",
				   "\"tlsrfclevel\" of backends \"%s\" has no effect while \"ccc\" is never",
				   backend->name);
	}
}
