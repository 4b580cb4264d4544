/*
 * Explains what happens to a client, as JSON: which rule applies, its settings, and
 * the answers to commands. This tree contains everything that attlsctl explain
 * shows; explain-print.c turns it into text.
 */
#include "gateway/ctl/explain.h"

#include <jansson.h>

#include "gateway/base/ftp-setup.h"
#include "gateway/base/util.h"
#include "gateway/ctl/explain-answers.h"
#include "gateway/ctl/explain-json.h"
#include "policy/policy.h"

struct setting_sink {
	struct explain_maker *maker;
	json_t *to;
};

static void take_setting(void *context, const char *key, const char *value)
{
	struct setting_sink *sink = context;

	explain_put(sink->maker, sink->to, key, explain_text(value));
}

static json_t *settings(struct explain_maker *maker, const char *section, const void *object)
{
	struct setting_sink sink = { .maker = maker, .to = json_object() };

	policy_explain_settings(section, object, take_setting, &sink);
	return sink.to;
}

static json_t *certificates(struct explain_maker *maker, const struct policy_keyring *keyring)
{
	json_t *list = json_array();

	for (size_t i = 0; keyring != NULL && i < keyring->ncertificates; i++) {
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
static void put_identity(struct explain_maker *maker, json_t *to)
{
	json_t *one = maker->certificate != NULL ? json_object() : json_null();
	char sha256[IDENTITY_SHA256_TEXT];

	if (maker->certificate != NULL) {
		explain_put(maker, one, "subject", explain_text(maker->certificate->subject));
		explain_put(maker, one, "issuer", explain_text(maker->certificate->issuer));
		explain_put(maker, one, "serial", explain_text(maker->certificate->serial));
		explain_put(maker, one, "sha256", explain_text(identity_sha256(maker->certificate, sha256)));
		explain_put(maker, one, "user",
			    maker->identity.user != NULL ? explain_text(maker->identity.user) : json_null());
		explain_put(maker, one, "service", json_boolean(maker->identity.service));
	}
	explain_put(maker, to, "certificate", one);
}

/*
 * What attlsd makes of the client's certificate under this rule: it may not ask for one,
 * ask without checking it (passthru), or admit nobody without one.
 */
static void judge_certificate(struct explain_maker *maker, const struct policy_rule *rule)
{
	const struct tls_action *tls = rule->tls;
	bool must;

	if (tls == NULL || tls->role != ROLE_SERVER_WITH_CLIENT_AUTH)
		return;
	must = tls->client_auth_type == CLIENT_AUTH_REQUIRED || tls->client_auth_type == CLIENT_AUTH_SAFCHECK;
	if (maker->certificate != NULL) {
		struct identity shown = *maker->certificate; /* a copy that owns nothing */

		shown.verified = tls->client_auth_type != CLIENT_AUTH_PASSTHRU;
		(void)users_identify(maker->users, &shown, rule->backend,
				     &maker->identity); /* two users are shown as none */
	} else if (must) {
		maker->tls_fails = "the handshake fails: the client has to show a certificate";
	}
	if (maker->tls_fails == NULL && tls->client_auth_type == CLIENT_AUTH_SAFCHECK &&
	    maker->identity.user == NULL)
		maker->tls_fails = "the session ends after the handshake: the certificate belongs to no user";
}

/* The settings of TLS with the client. */
static void put_tls(struct explain_maker *maker, json_t *to, const struct tls_action *action)
{
	json_t *tls = settings(maker, "tls_actions", action);

	explain_put(maker, tls, "certificates", certificates(maker, action->keyring));
	if (action->keyring != NULL)
		explain_put(maker, tls, "max_client_chain", json_integer(action->keyring->max_client_chain));
	explain_put(maker, to, "tls_action", explain_text(action->name));
	explain_put(maker, to, "tls", tls);
}

static void put_rule(struct explain_maker *maker, json_t *to, const struct policy_rule *rule)
{
	const struct policy_backend *backend = rule->backend;
	uint16_t low = rule->ftp->passivedataports.low;
	const struct ip_endpoint own = { .addr = maker->flow->local, .port = low != 0 ? low : 50000 };
	json_t *server = settings(maker, "backends", backend);
	const struct ftp_setup_ends ends = {
		.listener = maker->flow->listener,
		/* `tls: auto`: the answers are those to a client that sends AUTH */
		.implicit = maker->flow->listener->tls == LISTENER_IMPLICIT,
		.remote = { .addr = maker->flow->remote, .port = 50000 },
		.local = { .addr = maker->flow->local, .port = maker->flow->listener->endpoint.port },
	};
	char text[IP_TEXT_MAX];

	maker->offered = policy_advertised(maker->policy, rule->ftp, &maker->flow->remote, &own);
	maker->setup = ftp_setup_make(&ends, rule);
	maker->null_ciphers = rule->tls != NULL && rule->tls->null_ciphers;
	judge_certificate(maker, rule);
	put_identity(maker, to);
	explain_put(maker, server, "address", explain_text(ip_endpoint_format(&backend->endpoint, text)));
	explain_put(maker, to, "rule", explain_text(rule->name));
	if (rule->tls != NULL)
		put_tls(maker, to, rule->tls);
	explain_put(maker, to, "ftp_action", explain_text(rule->ftp->name));
	explain_put(maker, to, "ftp", settings(maker, "ftp_actions", rule->ftp));
	explain_put(maker, to, "backend", explain_text(backend->name));
	explain_put(maker, to, "server", server);
	explain_put(maker, to, "features", explain_features(maker));
	explain_put(maker, to, "states", explain_answers(maker));
}

static const char *listener_tls_name(enum listener_tls tls)
{
	static const char *const names[] = { [LISTENER_EXPLICIT] = "explicit",
					     [LISTENER_IMPLICIT] = "implicit",
					     [LISTENER_AUTO] = "auto",
					     [LISTENER_NONE] = "no" };

	return names[tls];
}

json_t *explain_make(const struct policy *policy, const struct policy_flow *flow,
		     const struct identity *identity, const struct users *users)
{
	const struct policy_listener *listener = flow->listener;
	struct explain_maker maker = {
		.policy = policy, .flow = flow, .certificate = identity, .users = users
	};
	json_t *explanation = json_object(), *tried;
	const struct policy_rule *rule;
	char text[IP_TEXT_MAX];

	explain_put(&maker, explanation, "listener", explain_text(listener->name));
	explain_put(&maker, explanation, "starts_tls", json_string(listener_tls_name(listener->tls)));
	explain_put(&maker, explanation, "client", explain_text(ip_addr_format(&flow->remote, text)));
	explain_put(&maker, explanation, "local", explain_text(ip_addr_format(&flow->local, text)));
	tried = rules_tried(&maker, &rule);
	explain_put(&maker, explanation, "rules", tried);
	if (rule != NULL)
		put_rule(&maker, explanation, rule);
	else
		explain_put(&maker, explanation, "rule", json_null());
	if (maker.failed) {
		json_decref(explanation);
		return NULL;
	}
	return explanation;
}
