/*
 * Checks of the HTTP listener and of that for HAProxy's agent-check. The first shows who is logged
 * in and what is transferred, so an address that other hosts reach needs a token, and TLS, which
 * keeps the token secret. Only loopback and UNIX sockets may do without.
 */
#include "policy/rule-http.h"

#include <string.h>

#include "policy/key-uri.h"
#include "policy/nelem.h"
#include "policy/rule-check.h"

static bool is_on(const struct policy_http *http)
{
	return http->path != NULL || http->endpoint.addr.family != IP_NONE;
}

static void check_access(const struct check *c, const struct policy_http *http)
{
	char text[IP_TEXT_MAX];

	if (http->path != NULL || ip_addr_is_loopback(&http->endpoint.addr))
		return;
	(void)ip_endpoint_format(&http->endpoint, text);
	if (http->token_file == NULL)
		check_error(c, DIAG_HTTP_TOKEN, &c->policy->daemon, "http",
			    "other hosts can reach %s, so \"http\" needs \"http_token_file\"; add it, or use "
			    "127.0.0.1",
			    text);
	if (!check_is_given(c, &c->policy->daemon, "http_keyring"))
		check_error(c, DIAG_HTTP_TLS, &c->policy->daemon, "http",
			    "other hosts can reach %s, so \"http\" needs TLS: add \"http_keyring\", or use "
			    "127.0.0.1",
			    text);
}

/* attlsd-http reads the files itself, and knows no passwords. */
static void check_plain_files(const struct check *c, const struct policy_http *http)
{
	const struct policy_certificate *first = &http->keyring->certificates[0];

	if (http->keyring->pkcs12 == NULL && first->password_file == NULL && !policy_key_is_in_token(first))
		return;
	check_error(
	    c, DIAG_HTTP_TLS, &c->policy->daemon, "http_keyring",
	    "\"http_keyring\" needs a certificate and a key in PEM files without a password, which keyrings "
	    "\"%s\" does not have; name another key ring",
	    http->keyring->name);
	check_see(c, http->keyring, NULL, "keyrings \"%s\"", http->keyring->name);
}

static void check_keyring(const struct check *c, const struct policy_http *http)
{
	if (http->keyring != NULL && check_is_valid(c, http->keyring) && http->keyring->ncertificates > 0)
		check_plain_files(c, http);
	if (http->keyring != NULL && check_is_valid(c, http->keyring) && http->keyring->ncertificates == 0) {
		check_error(c, DIAG_NO_CERTIFICATE, &c->policy->daemon, "http_keyring",
			    "a server needs a certificate, but keyrings \"%s\" has none; add "
			    "\"certificates\" to it",
			    http->keyring->name);
		check_see(c, http->keyring, NULL, "keyrings \"%s\"", http->keyring->name);
	}
}

static void check_place(const struct check *c, const struct policy_http *http)
{
	const struct policy_daemon *daemon = &c->policy->daemon;

	if (http->path != NULL && daemon->control_socket != NULL &&
	    strcmp(http->path, daemon->control_socket) == 0) {
		check_error(c, DIAG_SAME_ADDRESS, daemon, "http",
			    "\"http\" cannot use the path of \"control_socket\"");
		check_see(c, daemon, "control_socket", "\"control_socket\"");
	}
	for (size_t i = 0; i < c->policy->nlisteners; i++) {
		const struct policy_listener *listener = &c->policy->listeners[i];

		if (http->path == NULL && check_is_valid(c, listener) &&
		    check_collide(&http->endpoint, &listener->endpoint)) {
			check_error(c, DIAG_SAME_ADDRESS, daemon, "http",
				    "\"http\" cannot have the address and port of listeners \"%s\"",
				    listener->name);
			check_see(c, listener, "address", "listeners \"%s\"", listener->name);
			return;
		}
	}
}

/* Whoever connects to the agent learns only how much room there is, so others may reach it. */
static void check_agent(const struct check *c)
{
	const struct policy_daemon *daemon = &c->policy->daemon;
	const struct ip_endpoint *endpoint = &daemon->agent.endpoint;

	if (endpoint->addr.family == IP_NONE)
		return;
	if (daemon->http.path == NULL && check_collide(endpoint, &daemon->http.endpoint))
		check_error(c, DIAG_SAME_ADDRESS, daemon, "agent",
			    "\"agent\" cannot have the address and port of \"http\"");
	for (size_t i = 0; i < c->policy->nlisteners; i++) {
		const struct policy_listener *listener = &c->policy->listeners[i];

		if (check_is_valid(c, listener) && check_collide(endpoint, &listener->endpoint))
			check_error(c, DIAG_SAME_ADDRESS, daemon, "agent",
				    "\"agent\" cannot have the address and port of listeners \"%s\"",
				    listener->name);
	}
}

void rule_http_check(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	const struct check c = { .policy = policy, .locations = locations, .diags = diags };
	const struct policy_http *http = &policy->daemon.http;

	check_keyring(&c, http);
	check_agent(&c);
	if (!is_on(http))
		return;
	if (http->nhosts > POLICY_HTTP_HOSTS_MAX)
		check_error(&c, DIAG_TOO_MANY_NAMES, &policy->daemon, "http_hosts",
			    "\"http_hosts\" must have at most %d names", POLICY_HTTP_HOSTS_MAX);
	check_access(&c, http);
	check_place(&c, http);
}

void rule_http_warn(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	static const char *const keys[] = { "http_token_file", "http_keyring", "http_hosts" };
	const struct check c = { .policy = policy, .locations = locations, .diags = diags };
	const struct policy_http *http = &policy->daemon.http;

	for (size_t i = 0; i < NELEM(keys) && !is_on(http); i++)
		if (check_is_given(&c, &policy->daemon, keys[i]))
			check_warn(&c, DIAG_NO_EFFECT, &policy->daemon, keys[i],
				   "\"%s\" has no effect without \"http\"", keys[i]);
	if (http->path != NULL && http->keyring != NULL)
		check_warn(&c, DIAG_NO_EFFECT, &policy->daemon, "http_keyring",
			   "\"http_keyring\" has no effect: a UNIX socket is not protected by TLS");
	if (http->path != NULL && http->nhosts > 0)
		check_warn(&c, DIAG_NO_EFFECT, &policy->daemon, "http_hosts",
			   "\"http_hosts\" has no effect: a UNIX socket serves any name");
}
