/*
 * Explains what happens to a client, as JSON: which rule applies, its settings, and
 * the answers to commands. This tree contains everything that attlsctl explain
 * shows; explain-print.c turns it into text.
 */
#include "gateway/ctl/explain.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/ftp-setup.h"
#include "gateway/base/util.h"
#include "gateway/ctl/explain-access.h"
#include "gateway/ctl/explain-answers.h"
#include "gateway/ctl/explain-json.h"
#include "gateway/ctl/explain-map.h"
#include "gateway/ctl/explain-server.h"
#include "gateway/ctl/moment.h"
#include "gateway/tls/tlsctx-suites.h"
#include "gateway/tls/trust-judge.h"
#include "gateway/tls/users.h"

/* The settings of an object go into one JSON object, and the keys of those that the policy does not give into
 * a list. */
struct setting_sink {
	struct explain_maker *maker;
	json_t *to;
	json_t *defaults;
	bool no_server_tls; /* leave the keys about it out */
};

/* Which values are those of this node, and where they are. */
static json_t *own_values(struct explain_maker *maker, const struct diags *diags)
{
	json_t *list = json_array();

	for (size_t i = 0; i < maker->policy->nown; i++) {
		const struct policy_own_value *own = &maker->policy->own[i];
		json_t *one = json_object();

		explain_put(maker, one, "key", explain_text(own->key));
		explain_put(maker, one, "file", explain_text(diags_file(diags, own->mark)));
		explain_put(maker, one, "line", json_integer(own->mark.line));
		explain_add(maker, list, one);
	}
	return list;
}

static void take_setting(void *context, const char *key, const char *value, bool given)
{
	struct setting_sink *sink = context;

	if (sink->no_server_tls && explain_server_owns(key))
		return;
	explain_put(sink->maker, sink->to, key, explain_text(value));
	if (!given)
		explain_add(sink->maker, sink->defaults, json_string(key));
}

static void put_settings(struct setting_sink *sink, const char *section, const void *object)
{
	policy_explain_settings(sink->maker->policy, section, object, take_setting, sink);
}

static json_t *certificates(struct explain_maker *maker, const struct policy_keyring *keyring)
{
	json_t *list = json_array();

	for (size_t i = 0; i < keyring->ncertificates; i++) {
		const struct policy_certificate *certificate = &keyring->certificates[i];
		json_t *one = json_object();

		if (certificate->label != NULL)
			explain_put(maker, one, "label", explain_text(certificate->label));
		explain_put(maker, one, "chain", explain_text(certificate->chain));
		explain_add(maker, list, one);
	}
	return list;
}

/* All rules up to the one that matches. */
static json_t *rules_tried(struct explain_maker *maker, const struct policy_rule **ret_rule)
{
	json_t *list = json_array();

	*ret_rule = NULL;
	for (size_t i = 0; *ret_rule == NULL && i < maker->policy->nrules; i++) {
		const struct policy_rule *rule = &maker->policy->rules[i];
		unsigned misses = policy_explain_rule(rule, maker->flow);
		json_t *one = json_object(), *names = json_array();

		for (unsigned bit = 1; bit < POLICY_MISSES; bit <<= 1)
			if ((misses & bit) != 0)
				explain_add(maker, names, json_string(policy_miss_name(bit)));
		explain_put(maker, one, "name", explain_text(rule->name));
		explain_put(maker, one, "line", json_integer(rule->mark.line));
		explain_put(maker, one, "priority", json_integer(rule->priority));
		explain_put(maker, one, "matches", json_boolean(misses == 0));
		explain_put(maker, one, "differs_in", names);
		explain_add(maker, list, one);
		if (misses == 0)
			*ret_rule = rule;
	}
	return list;
}

/* The client's certificate; null: it shows none. */
static json_t *identity_json(struct explain_maker *maker, const struct identity *identity)
{
	char sha256[IDENTITY_SHA256_TEXT];
	json_t *one;

	if (!identity->present)
		return json_null();
	one = json_object();
	explain_put(maker, one, "subject", explain_text(identity->subject));
	explain_put(maker, one, "issuer", explain_text(identity->issuer));
	explain_put(maker, one, "serial", explain_text(identity->serial));
	explain_put(maker, one, "sha256", explain_text(identity_sha256(identity, sha256)));
	explain_put(maker, one, "verified", json_boolean(identity->verified));
	explain_put(maker, one, "user",
		    maker->identity.user != NULL ? explain_text(maker->identity.user) : json_null());
	explain_put(maker, one, "service", json_boolean(maker->identity.service));
	return one;
}

static void refuse(struct explain_maker *maker, const char *why, const char *reason)
{
	if (maker->tls_fails[0] == '\0')
		(void)snprintf(maker->tls_fails, sizeof(maker->tls_fails), "%s%s", why, reason);
}

/* ServerHandshakeSNI. */
static void judge_name(struct explain_maker *maker, const struct tls_action *tls)
{
	const char *name = maker->client->sni;

	maker->identity.server_name = name;
	if (tls == NULL || tls->server_handshake_sni == HANDSHAKE_SNI_OFF || tls->keyring == NULL)
		return;
	if (name == NULL) {
		if (tls->server_handshake_sni == HANDSHAKE_SNI_REQUIRED)
			refuse(maker, "the handshake fails: ", "the client asks for no host name");
	} else if (!trust_judge_name(name, tls->keyring, maker->diags)) {
		refuse(maker,
		       "the handshake fails: ", "the client asks for a host name that no certificate has");
	}
}

/*
 * What attlsd makes of the client's certificate under this rule: it may not ask for one,
 * ask without checking it (passthru), or admit nobody without one.
 */
static void judge_certificate(struct explain_maker *maker, const struct policy_rule *rule,
			      struct identity *ret_identity)
{
	const struct tls_action *tls = rule->tls;
	const char *reason = "";
	bool must;
	int r;

	if (tls == NULL || tls->role != ROLE_SERVER_WITH_CLIENT_AUTH)
		return;
	must = tls->client_auth_type == CLIENT_AUTH_REQUIRED || tls->client_auth_type == CLIENT_AUTH_SAFCHECK;
	if (maker->client->certificate == NULL) {
		if (must)
			refuse(maker, "the handshake fails: ", "the client has to show a certificate");
		return;
	}
	r = trust_judge_chain(maker->client->certificate, tls, maker->diags, ret_identity, &reason);
	if (r == -ENOMEM)
		maker->failed = true;
	if (r < 0)
		return;
	/* two users are shown as none */
	(void)users_identify(maker->client->users, ret_identity, rule->backend, &maker->identity,
			     &(const struct policy_user *){ NULL });
	if (!ret_identity->verified && tls->client_auth_type != CLIENT_AUTH_PASSTHRU)
		refuse(maker, "the handshake fails: certificate verify failed: ", reason);
	if (tls->client_auth_type == CLIENT_AUTH_SAFCHECK && maker->identity.user == NULL)
		refuse(maker, "the session ends after the handshake: ", "the certificate belongs to no user");
}

static void take_suite(void *context, const char *name)
{
	struct setting_sink *sink = context;

	explain_add(sink->maker, sink->to, json_string(name));
}

/* attlsd is taken to be started as root, as its service is. */
static json_t *suites(struct explain_maker *maker, const struct tls_action *tls)
{
	struct setting_sink sink = { .maker = maker, .to = json_array() };

	if (tlsctx_suites(tls, tls->role != ROLE_CLIENT && policy_isolates_keys(maker->policy, true),
			  take_suite, &sink) < 0)
		maker->failed = true;
	return sink.to;
}

static json_t *tls_settings(struct explain_maker *maker, const struct tls_action *tls, json_t *defaults)
{
	struct setting_sink sink = { .maker = maker, .to = json_object(), .defaults = defaults };

	put_settings(&sink, "tls_actions", tls);
	explain_put(maker, sink.to, "suites", suites(maker, tls));
	if (tls->keyring == NULL)
		return sink.to;
	explain_put(maker, sink.to, "certificates", certificates(maker, tls->keyring));
	if (tls->role == ROLE_SERVER_WITH_CLIENT_AUTH)
		put_settings(&sink, "keyrings", tls->keyring);
	return sink.to;
}

static json_t *ftp_settings(struct explain_maker *maker, const struct ftp_action *ftp, json_t *defaults)
{
	struct setting_sink sink = { .maker = maker, .to = json_object(), .defaults = defaults };

	put_settings(&sink, "ftp_actions", ftp);
	return sink.to;
}

static json_t *backend_settings(struct explain_maker *maker, const struct policy_backend *backend,
				json_t *defaults)
{
	struct setting_sink sink = { .maker = maker,
				     .to = json_object(),
				     .defaults = defaults,
				     .no_server_tls = backend->tls == NULL };

	put_settings(&sink, "backends", backend);
	return sink.to;
}

/* In the order in which this client gets them if all are up; where sessions take turns, as policy lists them.
 */
static void put_servers(struct explain_maker *maker, json_t *to, const struct policy_backend *backend,
			const struct ip_addr *client)
{
	struct balance_server servers[POLICY_SERVERS_MAX];
	json_t *all = json_array();
	size_t at;

	for (size_t i = 0; i < backend->nservers; i++)
		servers[i] = (struct balance_server){ .text = backend->servers[i].text };
	while ((at = balance_choose(backend->balance, servers, backend->nservers, client)) <
	       backend->nservers) {
		servers[at].class = BALANCE_OUT;
		explain_add(maker, all, explain_text(servers[at].text));
	}
	explain_put(maker, to, "addresses", all);
}

/* With `address: original` the server is where the client wanted to go. A name may have several addresses. */
static void put_server(struct explain_maker *maker, json_t *to, const struct ftp_setup_ends *ends,
		       const struct policy_backend *backend)
{
	struct ip_endpoint server = ftp_setup_server(ends, backend);
	json_t *all = json_array();
	char text[IP_TEXT_MAX];

	explain_put(maker, to, "original", json_boolean(backend->original));
	if (backend->balanced) {
		put_servers(maker, to, backend, &ends->remote.addr);
		json_decref(all);
		return;
	}
	explain_put(maker, to, "address", explain_text(ip_endpoint_format(&server, text)));
	for (size_t i = 1; i < backend->servers[0].naddresses; i++) {
		server.addr = backend->servers[0].addresses[i];
		explain_add(maker, all, explain_text(ip_endpoint_format(&server, text)));
	}
	explain_put(maker, to, "more_addresses", all);
}

/* The values that mean nothing with this policy. */
static json_t *without_effect(struct explain_maker *maker, const struct policy_rule *rule)
{
	json_t *sections = json_object(), *keys = json_array();

	if (rule->tls != NULL && rule->tls->role != ROLE_SERVER_WITH_CLIENT_AUTH)
		explain_add(maker, keys, json_string("client_auth_type"));
	explain_add(maker, keys, json_string("secure_hostname"));
	explain_add(maker, keys, json_string("pins"));
	explain_put(maker, sections, "tls", keys);
	explain_server_without_effect(maker, sections, rule->backend);
	return sections;
}

/* TLS with the server, if there is any. */
static void put_server_tls(struct explain_maker *maker, json_t *to, json_t *defaults,
			   const struct ftp_setup_ends *ends, const struct policy_rule *rule)
{
	const struct tls_action *tls = rule->backend->tls;
	const struct ip_endpoint server = ftp_setup_server(ends, rule->backend);
	json_t *settings, *keys = json_array();

	if (tls != NULL) {
		settings = tls_settings(maker, tls, keys);
		explain_server(maker, settings, rule, &server.addr);
		explain_put(maker, to, "server_tls_action", explain_text(tls->name));
		explain_put(maker, to, "server_tls", settings);
	}
	explain_put(maker, defaults, "server_tls", keys);
}

/* How many data connections may wait for their clients at shared ports. */
static void put_plans(struct explain_maker *maker, json_t *to, const struct policy_listener *listener,
		      const struct ftp_action *ftp)
{
	json_t *plans = json_object();

	explain_put(maker, plans, "at_a_time", json_integer(port_range_size(&ftp->passivedataports)));
	explain_put(maker, plans, "of", json_string(listener->proxy_data ? "all sessions" : "one address"));
	explain_put(maker, to, "plans", plans);
}

static void put_rule(struct explain_maker *maker, json_t *to, const struct explain_place *place,
		     const struct policy_rule *rule)
{
	const struct policy_listener *listener = place->flow.listener;
	const struct policy_backend *backend = rule->backend;
	uint16_t low = rule->ftp->passivedataports.low;
	const struct ip_endpoint own = { .addr = place->flow.local, .port = low != 0 ? low : 50000 };
	json_t *defaults = json_object(), *tls = json_array(), *ftp = json_array(), *server = json_array();
	json_t *states = json_array();
	struct identity identity = { .present = false };
	struct ftp_setup_ends ends = {
		.listener = listener,
		.implicit = listener->tls == LISTENER_IMPLICIT,
		.remote = { .addr = place->flow.remote, .port = 50000 },
		.local = { .addr = place->flow.local, .port = place->local_port },
	};
	json_t *ftp_json, *backend_json;

	maker->offered = policy_advertised(maker->policy, rule->ftp, &place->flow.remote, &own);
	maker->setup = ftp_setup_make(&ends, rule);
	explain_map_setup(maker, backend);
	maker->tls_first = ftp_setup_tls_comes_first(listener, rule);
	maker->null_ciphers = rule->tls != NULL && rule->tls->null_ciphers;
	judge_name(maker, rule->tls);
	maker->sni_fails = maker->tls_fails[0] != '\0';
	judge_certificate(maker, rule, &identity);
	explain_put(maker, to, "certificate", identity_json(maker, &identity));
	explain_put(maker, to, "rule", explain_text(rule->name));
	explain_put(maker, to, "action", json_string(rule->action == RULE_AUDIT ? "audit" : "enforce"));
	if (rule->tls != NULL) { /* clients of `tls: none` speak none */
		explain_put(maker, to, "tls_action", explain_text(rule->tls->name));
		explain_put(maker, to, "tls", tls_settings(maker, rule->tls, tls));
	}
	explain_put(maker, to, "ftp_action", explain_text(rule->ftp->name));
	ftp_json = ftp_settings(maker, rule->ftp, ftp);
	if (rule->ftp->nper_user > 0)
		explain_put(maker, to, "per_user", explain_per_user(maker, rule->ftp, ftp_json));
	explain_put(maker, to, "ftp", ftp_json);
	if (rule->ftp->naccess > 0)
		explain_put(maker, to, "access", explain_access(maker, rule->ftp));
	if (rule->ftp->passivedatashare == PASSIVEDATASHARE_SOURCE)
		put_plans(maker, to, listener, rule->ftp);
	explain_put(maker, to, "backend", explain_text(backend->name));
	backend_json = backend_settings(maker, backend, server);
	put_server(maker, backend_json, &ends, backend);
	explain_put(maker, to, "server", backend_json);
	if (backend->server_map != NULL)
		explain_put(maker, to, "map", explain_map(maker, backend, &identity));
	put_server_tls(maker, to, defaults, &ends, rule);
	explain_put(maker, defaults, "tls", tls);
	explain_put(maker, defaults, "ftp", ftp);
	explain_put(maker, defaults, "server", server);
	explain_put(maker, to, "defaults", defaults);
	explain_put(maker, to, "without_effect", without_effect(maker, rule));
	explain_put(maker, to, "features", explain_features(maker));
	if (maker->client->path != NULL)
		explain_put(maker, to, "path", explain_path(maker, rule));
	explain_answers(maker, listener->tls == LISTENER_AUTO, states);
	if (listener->tls == LISTENER_AUTO) { /* the client may as well start TLS at once */
		ends.implicit = true;
		maker->setup = ftp_setup_make(&ends, rule);
		explain_map_setup(maker, backend);
		explain_answers(maker, true, states);
	}
	explain_put(maker, to, "states", states);
	identity_done(&identity);
}

static const char *listener_tls_name(enum listener_tls tls)
{
	static const char *const names[] = { [LISTENER_EXPLICIT] = "explicit",
					     [LISTENER_IMPLICIT] = "implicit",
					     [LISTENER_AUTO] = "auto",
					     [LISTENER_NONE] = "no" };

	return names[tls];
}

/* Do answers depend on when the client comes? */
static bool has_times(const struct policy *policy)
{
	for (size_t i = 0; i < policy->nrules; i++)
		if (policy->rules[i].ntimes > 0)
			return true;
	return false;
}

json_t *explain_make(const struct policy *policy, const struct explain_place *place,
		     const struct explain_client *client, struct diags *diags)
{
	const struct policy_listener *listener = place->flow.listener;
	size_t errors = diags->nerrors;
	struct explain_maker maker = {
		.policy = policy, .flow = &place->flow, .client = client, .diags = diags
	};
	json_t *explanation = json_object(), *tried;
	const struct policy_rule *rule;
	char text[IP_TEXT_MAX];

	explain_put(&maker, explanation, "listener", explain_text(listener->name));
	explain_put(&maker, explanation, "listens_at",
		    explain_text(ip_endpoint_format(&listener->endpoint, text)));
	explain_put(&maker, explanation, "starts_tls", json_string(listener_tls_name(listener->tls)));
	explain_put(&maker, explanation, "client", explain_text(ip_addr_format(&place->flow.remote, text)));
	explain_put(&maker, explanation, "local", explain_text(ip_addr_format(&place->flow.local, text)));
	explain_put(&maker, explanation, "local_is_example", json_boolean(place->local_is_example));
	if (policy->nown > 0)
		explain_put(&maker, explanation, "node", own_values(&maker, diags));
	if (has_times(policy)) {
		char at[MOMENT_TEXT_MAX];

		explain_put(&maker, explanation, "at", json_string(moment_text(place->flow.at_s, at)));
	}
	tried = rules_tried(&maker, &rule);
	explain_put(&maker, explanation, "rules", tried);
	if (rule != NULL)
		put_rule(&maker, explanation, place, rule);
	else
		explain_put(&maker, explanation, "rule", json_null());
	if (maker.failed || diags->nerrors > errors) {
		json_decref(explanation);
		return NULL;
	}
	return explanation;
}
