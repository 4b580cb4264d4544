/*
 * Checks across objects: values that are valid by themselves and contradict each
 * other, such as a client certificate that is required but not asked for. Objects
 * with a fault of their own are skipped, since their fields may be empty.
 */
#include "policy/member.h"
#include "policy/own-listener.h"
#include "policy/rule.h"
#include "policy/rule-check.h"
#include "policy/source.h"

#include <stdbool.h>
#include <stddef.h>

/* Without trust there is nothing to check a client's certificate against. */
static void check_client_auth(const struct check *c, const struct tls_action *tls)
{
	const struct policy_keyring *ring = tls->keyring;

	if (tls->role != ROLE_SERVER_WITH_CLIENT_AUTH || tls->client_auth_type == CLIENT_AUTH_PASSTHRU)
		return;
	if (check_is_valid(c, ring) && ring->trust == NULL && !ring->trust_system) {
		check_error(c, DIAG_NO_TRUST, tls, "handshake_role",
			    "tls_actions \"%s\" checks client certificates, "
			    "but keyrings \"%s\" has no \"trust\"; add it",
			    tls->name, ring->name);
		check_see(c, ring, NULL, "keyrings \"%s\"", ring->name);
	}
}

static void check_tls_action(const struct check *c, const struct tls_action *tls)
{
	const struct policy_keyring *ring = tls->keyring;

	if (tls->role != ROLE_CLIENT && ring == NULL)
		check_error(c, DIAG_MISSING_KEY, tls, "keyring",
			    "tls_actions \"%s\" needs a value for \"keyring\"", tls->name);
	else if (tls->role != ROLE_CLIENT && check_is_valid(c, ring) && ring->ncertificates == 0) {
		check_error(c, DIAG_NO_CERTIFICATE, tls, "keyring",
			    "a server needs a certificate, but keyrings \"%s\" has none; "
			    "add \"certificates\" to it",
			    ring->name);
		check_see(c, ring, NULL, "keyrings \"%s\"", ring->name);
	}
	check_client_auth(c, tls);
	if (tls->role == ROLE_SERVER_WITH_CLIENT_AUTH && tls->client_auth_type == CLIENT_AUTH_SAFCHECK &&
	    c->policy->nusers == 0)
		check_error(
		    c, DIAG_NO_LOGIN, tls, "client_auth_type",
		    "\"client_auth_type: safcheck\" admits nobody, because \"users\" names no certificates; "
		    "add them, or use required");
}

static void check_listener(const struct check *c, size_t index)
{
	const struct policy_listener *listener = &c->policy->listeners[index];

	for (size_t i = 0; i < index; i++) {
		const struct policy_listener *other = &c->policy->listeners[i];

		if (!check_is_valid(c, other) || !check_collide(&listener->endpoint, &other->endpoint))
			continue;
		check_error(
		    c, DIAG_SAME_ADDRESS, listener, "address",
		    "listeners \"%s\" and \"%s\" cannot have the same address and port; change one of them",
		    other->name, listener->name);
		check_see(c, other, "address", "listeners \"%s\"", other->name);
		return;
	}
}

static void check_proxy_protocol(const struct check *c, const struct policy_listener *listener)
{
	if (listener->nproxies == 0 && listener->proxy_data)
		check_error(
		    c, DIAG_NO_EFFECT, listener, "proxy_data",
		    "\"proxy_data\" of listeners \"%s\" has no effect without \"proxy_protocol\"; add it",
		    listener->name);
	/* a transparent listener already sees the client's own address */
	if (listener->nproxies > 0 && listener->transparent) {
		check_error(c, DIAG_TRANSPARENT_PROXY, listener, "proxy_protocol",
			    "listeners \"%s\" cannot be transparent and have \"proxy_protocol\"; "
			    "remove one",
			    listener->name);
		check_see(c, listener, "transparent", "\"transparent\"");
	}
}

/* attlsd would connect to itself, which opens another session, and so on up to a limit. */
static void check_not_own(const struct check *c, const struct policy_backend *backend,
			  const struct policy_server *server)
{
	for (size_t i = 0; i < c->policy->nlisteners; i++) {
		const struct policy_listener *listener = &c->policy->listeners[i];

		if (check_is_valid(c, listener) && !backend->original &&
		    policy_is_own_listener(&server->endpoint, false, listener)) {
			diags_add(
			    c->diags, DIAG_ERROR, DIAG_DIALS_ITSELF, check_server_mark(c, backend, server),
			    "backends \"%s\" has the address of listeners \"%s\": "
			    "attlsd would connect to itself; give the server an address or port of its own",
			    backend->name, listener->name);
			check_see(c, listener, "address", "listeners \"%s\"", listener->name);
		}
	}
}

/* An address cannot dial a server of the other family. An interface may get one of it later. */
static void check_source(const struct check *c, const struct policy_backend *backend,
			 const struct policy_server *server)
{
	enum ip_family family = server->endpoint.addr.family;
	struct ip_addr source;

	if (family != IP_NONE && backend->source_interface == NULL &&
	    policy_source_find(backend, family, &source) < 0) {
		check_error(
		    c, DIAG_FAMILY_MISMATCH, backend, "source",
		    "\"source\" of backends \"%s\" is an %s address, but its \"address\" is an %s address; "
		    "give one of the same family",
		    backend->name, family == IP_V4 ? "IPv6" : "IPv4", family == IP_V4 ? "IPv4" : "IPv6");
		diags_see(c->diags, NULL, check_server_mark(c, backend, server), "\"address\"");
	}
}

static void check_backend(const struct check *c, const struct policy_backend *backend)
{
	for (size_t i = 0; i < backend->nservers; i++) {
		check_source(c, backend, &backend->servers[i]);
		check_not_own(c, backend, &backend->servers[i]);
	}
	if (backend->proxy == BACKEND_PROXY_NONE && backend->proxy_data)
		check_error(c, DIAG_NO_EFFECT, backend, "proxy_data",
			    "\"proxy_data\" of backends \"%s\" has no effect without \"proxy_protocol\"; "
			    "set it to v1 or v2",
			    backend->name);
}

static void check_passive_ports(const struct check *c, const struct ftp_action *ftp)
{
	const struct port_range *range = &ftp->passivedataports;

	for (size_t i = 0; i < c->policy->nlisteners && range->low > 0; i++) {
		const struct policy_listener *listener = &c->policy->listeners[i];
		uint16_t port = listener->endpoint.port;

		if (!check_is_valid(c, listener) || port < range->low || port > range->high)
			continue;
		check_error(c, DIAG_PORT_IN_USE, ftp, "passivedataports",
			    "\"passivedataports\" must not include port %u, which listeners \"%s\" uses",
			    port, listener->name);
		check_see(c, listener, "address", "listeners \"%s\"", listener->name);
		return;
	}
}

/* Is this port of the listener's address taken, because attlsd listens there itself? */
static const struct policy_listener *find_at(const struct check *c, const struct policy_listener *near,
					     uint16_t port)
{
	struct ip_endpoint at = { .addr = near->endpoint.addr, .port = port };

	for (size_t i = 0; i < c->policy->nlisteners; i++)
		if (check_is_valid(c, &c->policy->listeners[i]) &&
		    check_collide(&at, &c->policy->listeners[i].endpoint))
			return &c->policy->listeners[i];
	return NULL;
}

/* No connection can start from a port where attlsd listens. */
static void check_data_port(const struct check *c, const struct policy_rule *rule)
{
	const struct ftp_action *ftp = rule->ftp;
	const struct policy_listener *listener, *other;

	if (!check_is_valid(c, ftp) || ftp->data_port != DATA_PORT_LOWER)
		return;
	for (size_t i = 0; (listener = check_next_listener(c, rule, &i)) != NULL;) {
		uint16_t port = listener->endpoint.port;
		const struct port_range *range = &ftp->passivedataports;

		if (!check_is_valid(c, listener) || port == 0)
			continue;
		other = find_at(c, listener, (uint16_t)(port - 1));
		if (other != NULL) {
			check_error(c, DIAG_PORT_IN_USE, ftp, "data_port",
				    "\"data_port: lower\" needs port %u for clients of listeners \"%s\", "
				    "but listeners \"%s\" uses it; give that another port",
				    port - 1u, listener->name, other->name);
			check_see(c, other, "address", "listeners \"%s\"", other->name);
			return;
		}
		if (range->low != 0 && port > range->low && port - 1 <= range->high) {
			check_error(c, DIAG_PORT_IN_USE, ftp, "passivedataports",
				    "\"passivedataports\" must not include port %u, which \"data_port: "
				    "lower\" needs for clients of listeners \"%s\"",
				    port - 1u, listener->name);
			check_see(c, listener, "address", "listeners \"%s\"", listener->name);
			return;
		}
	}
}

/* A DNAT maps advertise_ports[i] to passivedataports[i], so there can be one range only. */
static void check_advertise_ports(const struct check *c)
{
	const struct policy_nat *nat = &c->policy->nat;
	const struct ftp_action *first = NULL;
	unsigned size = port_range_size(&nat->advertise_ports);

	for (size_t i = 0; i < c->policy->nftp_actions && size > 0; i++) {
		const struct ftp_action *ftp = &c->policy->ftp_actions[i];
		const struct port_range *range = &ftp->passivedataports;

		if (!check_is_valid(c, ftp))
			continue;
		if (range->low == 0) {
			check_error(c, DIAG_ADVERTISE_PORTS, nat, "advertise_ports",
				    "\"advertise_ports\" needs \"passivedataports\", "
				    "which ftp_actions \"%s\" lacks; add it",
				    ftp->name);
			check_see(c, ftp, NULL, "ftp_actions \"%s\"", ftp->name);
		} else if (port_range_size(range) != size) {
			check_error(c, DIAG_ADVERTISE_PORTS, nat, "advertise_ports",
				    "\"advertise_ports\" has %u ports, "
				    "but \"passivedataports\" of ftp_actions \"%s\" has %u; "
				    "make both the same size",
				    size, ftp->name, port_range_size(range));
			check_see(c, ftp, "passivedataports", "ftp_actions \"%s\"", ftp->name);
		} else if (first != NULL && first->passivedataports.low != range->low) {
			check_error(c, DIAG_ADVERTISE_PORTS, nat, "advertise_ports",
				    "\"advertise_ports\" can map to one range only, "
				    "but \"passivedataports\" of ftp_actions \"%s\" and \"%s\" differ; "
				    "make them the same",
				    first->name, ftp->name);
			check_see(c, ftp, "passivedataports", "ftp_actions \"%s\"", ftp->name);
		} else {
			first = ftp;
		}
	}
}

/* SECURE_LOGIN, for all users or for some. */
static bool asks_for_certificate(const struct ftp_action *ftp)
{
	return ftp_action_strictest_login(ftp) != SECURE_LOGIN_NO_CLIENT_AUTH;
}

static void check_secure_password(const struct check *c, const struct ftp_action *ftp)
{
	if (ftp->secure_password != SECURE_PASSWORD_OPTIONAL)
		return;
	if (!asks_for_certificate(ftp)) {
		check_error(c, DIAG_SECURE_PASSWORD, ftp, "secure_password",
			    "\"secure_password\" can only be optional if \"secure_login\" is "
			    "verify_user or required");
		return;
	}
	for (size_t i = 0; i < c->policy->nusers; i++)
		if (c->policy->users[i].password_file != NULL || !check_is_valid(c, &c->policy->users[i]))
			return;
	check_error(
	    c, DIAG_SECURE_PASSWORD, ftp, "secure_password",
	    "\"secure_password\" can only be optional if an entry of \"users\" has a \"password_file\"");
}

/* Login without TLS is refused and TLS is not offered, so no client could log in. */
static void check_reachable_tls(const struct check *c, const struct ftp_action *ftp)
{
	if (ftp->extensions != 0 || !ftp_action_needs_tls(ftp))
		return;
	for (size_t i = 0; i < c->policy->nrules; i++) {
		const struct policy_rule *rule = &c->policy->rules[i];
		const struct policy_listener *listener;

		if (rule->ftp != ftp || !check_is_valid(c, rule))
			continue;
		for (size_t j = 0; (listener = check_next_listener(c, rule, &j)) != NULL;) {
			if (listener->tls != LISTENER_EXPLICIT || !check_is_valid(c, listener))
				continue;
			check_error(c, DIAG_NO_LOGIN, ftp, "extensions",
				    "nobody can log in at listeners \"%s\" through rules \"%s\": "
				    "\"%s\", but \"extensions\" lacks auth_tls; add it",
				    listener->name, rule->name,
				    ftp->secure_ftp == SECURE_FTP_REQUIRED ? "secure_ftp: required"
				    : ftp->secure_ctrlconn == SECURE_SAFE  ? "secure_ctrlconn: safe"
									   : "secure_ctrlconn: private");
			return;
		}
	}
}

static void check_secure_login(const struct check *c, const struct policy_rule *rule)
{
	const struct tls_action *tls = rule->tls;
	const struct ftp_action *ftp = rule->ftp;

	if (!check_is_valid(c, tls) || !check_is_valid(c, ftp) || !asks_for_certificate(ftp))
		return;
	if (ftp->extensions == EXTENSION_AUTH_GSSAPI) /* tickets say who the client is */
		return;
	if (tls->role != ROLE_SERVER_WITH_CLIENT_AUTH) {
		check_error(c, DIAG_NO_CLIENT_CERTIFICATE, rule, "tls",
			    "\"secure_login\" of ftp_actions \"%s\" needs client certificates, "
			    "but tls_actions \"%s\" asks for none; "
			    "set its \"handshake_role\" to server_with_client_auth",
			    ftp->name, tls->name);
		check_see(c, tls, "handshake_role", "tls_actions \"%s\"", tls->name);
	} else if (tls->client_auth_type == CLIENT_AUTH_PASSTHRU) {
		check_error(
		    c, DIAG_NO_CLIENT_CERTIFICATE, rule, "tls",
		    "\"secure_login\" of ftp_actions \"%s\" needs verified certificates, "
		    "but tls_actions \"%s\" does not verify them; set its \"client_auth_type\" to required",
		    ftp->name, tls->name);
		check_see(c, tls, "client_auth_type", "tls_actions \"%s\"", tls->name);
	}
}

/* Without sessions there is nothing to resume, so every transfer would be refused. */
static void check_reuse(const struct check *c, const struct policy_rule *rule)
{
	if (!check_is_valid(c, rule->tls) || !check_is_valid(c, rule->ftp) ||
	    rule->tls->session_timeout_s > 0 || rule->ftp->secure_session_reuse == SESSION_REUSE_ALLOWED ||
	    rule->ftp->secure_session_reuse == SESSION_REUSE_NONE)
		return;
	check_error(
	    c, DIAG_NO_SESSION_REUSE, rule->tls, "session_timeout",
	    "rules \"%s\" refuses every protected transfer: \"secure_session_reuse\" of ftp_actions \"%s\" "
	    "is required, but \"session_timeout\" of tls_actions \"%s\" is 0; give it a time",
	    rule->name, rule->ftp->name, rule->tls->name);
	check_see(c, rule->ftp, "secure_session_reuse", "ftp_actions \"%s\"", rule->ftp->name);
}

/* A rule needs TLS settings toward its clients, unless none of them speaks TLS. */
static void check_tls(const struct check *c, const struct policy_rule *rule)
{
	const struct policy_listener *listener, *clear = NULL, *other = NULL;

	for (size_t i = 0; (listener = check_next_listener(c, rule, &i)) != NULL;) {
		if (!check_is_valid(c, listener))
			return;
		*(listener->tls == LISTENER_NONE ? &clear : &other) = listener;
	}
	if (clear == NULL && other == NULL)
		check_error(
		    c, DIAG_WRONG_DIRECTION, rule, "direction",
		    "\"direction\" of rules \"%s\" fits none of its listeners: outbound connections come "
		    "to listeners with \"tls: none\", inbound ones to all others",
		    rule->name);
	else if (other != NULL && rule->tls == NULL) {
		check_error(
		    c, DIAG_MISSING_KEY, rule, NULL,
		    "rules \"%s\" needs a value for \"tls\": clients of listeners \"%s\" may speak TLS",
		    rule->name, other->name);
		check_see(c, other, NULL, "listeners \"%s\"", other->name);
	} else if (other == NULL && rule->tls != NULL) {
		check_error(
		    c, DIAG_NO_EFFECT, rule, "tls",
		    "\"tls\" of rules \"%s\" has no effect: clients of listeners \"%s\" never speak TLS; "
		    "remove it",
		    rule->name, clear->name);
		check_see(c, clear, "tls", "listeners \"%s\"", clear->name);
	}
}

/* Whoever writes "match:" means some clients, but an empty one means everybody. */
static void check_match(const struct check *c, const struct policy_rule *rule)
{
	if (locations_find(c->locations, rule, "match") != NULL && rule->nlisteners == 0 &&
	    rule->nremote_addrs == 0 && rule->nlocal_addrs == 0 && rule->ndestinations == 0 &&
	    rule->ntimes == 0)
		check_error(
		    c, DIAG_EMPTY_MATCH, rule, "match",
		    "\"match\" of rules \"%s\" is empty, so the rule would apply to every client; give it "
		    "listener, remote_addr, local_addr, destination or time, or remove \"match\" if you mean everybody",
		    rule->name);
}

/* Is this level private for all users or for some? */
static bool is_private(const struct ftp_action *ftp, size_t offset)
{
	const enum secure_level *level = member_of_const(ftp, offset);

	for (size_t i = 0; i < ftp->nper_user; i++)
		if (ftp->per_user[i].action != NULL && is_private(ftp->per_user[i].action, offset))
			return true;
	return *level == SECURE_PRIVATE;
}

/* The level PRIVATE needs a cipher that encrypts. */
static void check_level(const struct check *c, const struct policy_rule *rule)
{
	const struct ftp_action *ftp = rule->ftp;
	bool ctrl;

	if (!check_is_valid(c, rule->tls) || !check_is_valid(c, ftp) || !rule->tls->null_ciphers)
		return;
	ctrl = is_private(ftp, offsetof(struct ftp_action, secure_ctrlconn));
	if (ctrl || is_private(ftp, offsetof(struct ftp_action, secure_dataconn))) {
		check_error(c, DIAG_NULL_CIPHER_PRIVATE, rule, "tls",
			    "\"%s\" of ftp_actions \"%s\" is private, "
			    "but a cipher of tls_actions \"%s\" does not encrypt; "
			    "use safe, or remove the cipher",
			    ctrl ? "secure_ctrlconn" : "secure_dataconn", ftp->name, rule->tls->name);
		check_see(c, rule->tls, "ciphers", "tls_actions \"%s\"", rule->tls->name);
	}
}

static void check_transparency(const struct check *c, const struct policy_rule *rule)
{
	const struct policy_backend *backend = rule->backend;
	const struct policy_listener *listener;

	if (!check_is_valid(c, backend) || (!backend->original && backend->source != BACKEND_SOURCE_CLIENT))
		return;
	for (size_t i = 0; (listener = check_next_listener(c, rule, &i)) != NULL;) {
		if (listener->transparent || !check_is_valid(c, listener))
			continue;
		check_error(c, DIAG_TRANSPARENT_NEEDED, rule, "backend",
			    "\"%s: %s\" of backends \"%s\" needs transparent listeners, "
			    "but listeners \"%s\" is not; "
			    "set its \"transparent\" to true or leave it out of rules \"%s\"",
			    backend->original ? "address" : "source",
			    backend->original ? "original" : "client", backend->name, listener->name,
			    rule->name);
		check_see(c, listener, NULL, "listeners \"%s\"", listener->name);
		return;
	}
}

void rule_check(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	const struct check c = { .policy = policy, .locations = locations, .diags = diags };

	for (size_t i = 0; i < policy->ntls_actions; i++)
		if (check_is_valid(&c, &policy->tls_actions[i]))
			check_tls_action(&c, &policy->tls_actions[i]);
	for (size_t i = 0; i < policy->nftp_actions; i++) {
		const struct ftp_action *ftp = &policy->ftp_actions[i];

		if (!check_is_valid(&c, ftp))
			continue;
		check_passive_ports(&c, ftp);
		check_secure_password(&c, ftp);
		check_reachable_tls(&c, ftp);
	}
	check_advertise_ports(&c);
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (check_is_valid(&c, &policy->listeners[i])) {
			check_listener(&c, i);
			check_proxy_protocol(&c, &policy->listeners[i]);
		}
	for (size_t i = 0; i < policy->nbackends; i++)
		if (check_is_valid(&c, &policy->backends[i]))
			check_backend(&c, &policy->backends[i]);
	for (size_t i = 0; i < policy->nrules; i++) {
		if (!check_is_valid(&c, &policy->rules[i]))
			continue;
		check_tls(&c, &policy->rules[i]);
		check_secure_login(&c, &policy->rules[i]);
		check_reuse(&c, &policy->rules[i]);
		check_match(&c, &policy->rules[i]);
		check_level(&c, &policy->rules[i]);
		check_data_port(&c, &policy->rules[i]);
		check_transparency(&c, &policy->rules[i]);
	}
}
