#include "gateway/explain.h"

#include <jansson.h>
#include <string.h>

#include "ftp-alg/endpoint.h"
#include "ftp-alg/feat.h"
#include "gateway/rehearse.h"
#include "gateway/session.h"
#include "gateway/users.h"
#include "gateway/util.h"
#include "policy/explain.h"

#define STEPS_MAX 6

/* How far a session has come; each stage is played from the start. */
struct stage {
	const char *name;
	bool explicit_only;
	const char *steps[STEPS_MAX]; /* AUTH is left out where TLS comes first */
};

enum stage_number { CLEAR = 0, CLEAR_IN, TLS, TLS_IN, AFTER_CCC };

static const struct stage stages[] = {
	[CLEAR] = { "before TLS", true, { NULL } },
	[CLEAR_IN] = { "logged in without TLS", true, { "USER me", "PASS secret" } },
	[TLS] = { "under TLS", false, { "AUTH TLS" } },
	[TLS_IN] = { "under TLS, logged in", false, { "AUTH TLS", "USER me", "PASS secret" } },
	[AFTER_CCC] = { "after CCC",
			false,
			{ "AUTH TLS", "PBSZ 0", "PROT P", "USER me", "PASS secret", "CCC" } },
};

/*
 * The questions. @own, @other and @low become PORT or EPRT, whichever the client's
 * address needs, with its own address, another one and a port below 1024.
 */
static const struct question {
	enum stage_number stage;
	const char *command;
	const char
	    *after[STEPS_MAX]; /* said before it; a refusal of one changes nothing, as with a real client */
} questions[] = {
	{ CLEAR, "USER me", { NULL } },
	{ CLEAR, "PASS secret", { NULL } },
	{ CLEAR, "AUTH TLS", { NULL } },
	{ CLEAR, "PBSZ 0", { NULL } },
	{ CLEAR, "PROT P", { NULL } },
	{ CLEAR, "CCC", { NULL } },
	{ CLEAR_IN, "PROT P", { NULL } },
	{ CLEAR_IN, "EPSV", { NULL } },
	{ CLEAR_IN, "RETR file", { "EPSV" } },
	{ TLS, "AUTH TLS", { NULL } },
	{ TLS, "USER me", { NULL } },
	{ TLS, "PBSZ 0", { NULL } },
	{ TLS, "PROT P", { NULL } },
	{ TLS, "PROT C", { "PBSZ 0" } },
	{ TLS, "PROT P", { "PBSZ 0" } },
	{ TLS, "CCC", { NULL } },
	{ TLS_IN, "PASV", { NULL } },
	{ TLS_IN, "EPSV", { NULL } },
	{ TLS_IN, "@own", { NULL } },
	{ TLS_IN, "@other", { NULL } },
	{ TLS_IN, "@low", { NULL } },
	{ TLS_IN, "RETR file", { "EPSV" } },
	{ TLS_IN, "RETR file", { "PBSZ 0", "PROT C", "EPSV" } },
	{ TLS_IN, "RETR file", { "PBSZ 0", "PROT P", "EPSV" } },
	{ TLS_IN, "STOR file", { "PBSZ 0", "PROT P", "EPSV" } },
	{ TLS_IN, "CCC", { NULL } },
	{ AFTER_CCC, "USER me", { NULL } },
	{ AFTER_CCC, "AUTH TLS", { NULL } },
	{ AFTER_CCC, "PROT C", { NULL } },
	{ AFTER_CCC, "RETR file", { "EPSV" } },
};

struct maker {
	const struct policy *policy;
	const struct policy_flow *flow;
	const struct identity *certificate;
	const struct users *users;
	struct ftp_identity identity;
	struct ftp_machine_setup setup;
	struct ip_endpoint offered;
	bool failed; /* no memory */
};

static void put(struct maker *maker, json_t *to, const char *key, json_t *value)
{
	if (json_object_set_new(to, key, value) != 0)
		maker->failed = true;
}

static void add(struct maker *maker, json_t *to, json_t *value)
{
	if (json_array_append_new(to, value) != 0)
		maker->failed = true;
}

/* Paths come from the command line as well, in any encoding. */
static json_t *text_of(const char *text)
{
	json_t *value = json_string(text);

	return value != NULL ? value : json_string("(not UTF-8)");
}

struct setting_sink {
	struct maker *maker;
	json_t *to;
};

static void take_setting(void *context, const char *key, const char *value)
{
	struct setting_sink *sink = context;

	put(sink->maker, sink->to, key, text_of(value));
}

static json_t *settings(struct maker *maker, const char *section, const void *object)
{
	struct setting_sink sink = { .maker = maker, .to = json_object() };

	policy_explain_settings(section, object, take_setting, &sink);
	return sink.to;
}

static json_t *certificates(struct maker *maker, const struct policy_keyring *keyring)
{
	json_t *list = json_array();

	for (size_t i = 0; keyring != NULL && i < keyring->ncertificates; i++) {
		const struct policy_certificate *certificate = &keyring->certificates[i];
		json_t *one = json_object();

		if (certificate->label != NULL)
			put(maker, one, "label", text_of(certificate->label));
		put(maker, one, "chain", text_of(certificate->chain));
		add(maker, list, one);
	}
	return list;
}

/* Up to the rule that matches. */
static json_t *rules_tried(struct maker *maker, const struct policy_rule **ret_rule)
{
	static const unsigned bits[] = { POLICY_MISS_LISTENER, POLICY_MISS_REMOTE_ADDR,
					 POLICY_MISS_LOCAL_ADDR };
	json_t *list = json_array();

	*ret_rule = NULL;
	for (size_t i = 0; *ret_rule == NULL && i < maker->policy->nrules; i++) {
		const struct policy_rule *rule = &maker->policy->rules[i];
		unsigned misses = policy_explain_rule(rule, maker->flow);
		json_t *one = json_object(), *names = json_array();

		for (size_t j = 0; j < NELEM(bits); j++)
			if ((misses & bits[j]) != 0)
				add(maker, names, json_string(policy_miss_name(bits[j])));
		put(maker, one, "name", text_of(rule->name));
		put(maker, one, "line", json_integer(rule->mark.line));
		put(maker, one, "priority", json_integer(rule->priority));
		put(maker, one, "matches", json_boolean(misses == 0));
		put(maker, one, "differs_in", names);
		add(maker, list, one);
		if (misses == 0)
			*ret_rule = rule;
	}
	return list;
}

/* What the client would really send: its own name, its own address. */
static const char *spell(const struct maker *maker, const char *command,
			 char buf[static FTP_ENDPOINT_TEXT_MAX])
{
	static const char *const strangers[][2] = { { "192.0.2.1", "192.0.2.2" },
						    { "2001:db8::1", "2001:db8::2" } };
	struct ip_endpoint target = { .addr = maker->flow->remote, .port = 50000 };
	bool v6 = target.addr.family == IP_V6;

	if (strcmp(command, "USER me") == 0 && maker->identity.user != NULL) {
		(void)snprintf(buf, FTP_ENDPOINT_TEXT_MAX, "USER %s", maker->identity.user);
		return buf;
	}
	if (command[0] != '@')
		return command;
	if (strcmp(command, "@low") == 0)
		target.port = 1023;
	if (strcmp(command, "@other") == 0)
		for (size_t i = 0; i < 2 && ip_addr_equal(&target.addr, &maker->flow->remote); i++)
			(void)ip_addr_parse(strangers[v6][i], strlen(strangers[v6][i]),
					    &target.addr); /* cannot fail */
	return v6 ? ftp_eprt_format(&target, buf) : ftp_port_format(&target, buf);
}

static bool was_accepted(const struct rehearsal_answer *answer)
{
	return answer->passed || answer->text[0] == '2' || answer->text[0] == '3';
}

/* Is a step not needed: TLS comes by itself, or a certificate has replaced the password? */
static bool is_done(const struct rehearsal *rehearsal, const char *step)
{
	const struct ftp_machine *machine = &rehearsal->machine;

	return (machine->security.implicit && strncmp(step, "AUTH", 4) == 0) ||
	       (machine->login == FTP_LOGIN_DONE && strncmp(step, "PASS", 4) == 0);
}

/* Play a stage. False: a step of it is refused. */
static bool reach(struct maker *maker, const struct stage *stage, struct rehearsal *rehearsal,
		  const char **ret_step, struct rehearsal_answer *ret_answer)
{
	char buf[FTP_ENDPOINT_TEXT_MAX];

	rehearsal_start(rehearsal, &maker->setup, &maker->offered, &maker->identity);
	for (size_t i = 0; i < STEPS_MAX && stage->steps[i] != NULL; i++) {
		*ret_step = stage->steps[i];
		if (is_done(rehearsal, *ret_step))
			continue;
		rehearsal_say(rehearsal, spell(maker, *ret_step, buf), ret_answer);
		if (!was_accepted(ret_answer))
			return false;
	}
	return true;
}

static void put_answer(struct maker *maker, json_t *to, const char *command,
		       const struct rehearsal_answer *answer)
{
	put(maker, to, "command", text_of(command));
	put(maker, to, "by", json_string(answer->passed ? "server" : "gateway"));
	put(maker, to, "answer", answer->passed ? json_null() : text_of(answer->text));
	if (answer->passed && answer->transfer)
		put(maker, to, "data", json_string(answer->protect ? "private" : "clear"));
}

static json_t *ask(struct maker *maker, const struct question *question, struct rehearsal *rehearsal)
{
	char buf[FTP_ENDPOINT_TEXT_MAX];
	struct rehearsal_answer answer;
	json_t *one = json_object(), *after = json_array();
	const char *command = spell(maker, question->command, buf);

	for (size_t i = 0; i < STEPS_MAX && question->after[i] != NULL; i++) {
		rehearsal_say(rehearsal, question->after[i], &answer);
		add(maker, after, json_string(question->after[i]));
	}
	rehearsal_say(rehearsal, command, &answer);
	put(maker, one, "after", after);
	put_answer(maker, one, command, &answer);
	return one;
}

static json_t *stage_answers(struct maker *maker, enum stage_number number)
{
	json_t *one = json_object(), *list = json_array(), *refused;
	struct rehearsal_answer answer;
	struct rehearsal rehearsal;
	const char *step = NULL;

	put(maker, one, "state", json_string(stages[number].name));
	if (!reach(maker, &stages[number], &rehearsal, &step, &answer)) {
		refused = json_object();
		put_answer(maker, refused, step, &answer);
		put(maker, one, "refused_at", refused);
	} else {
		for (size_t i = 0; i < NELEM(questions); i++) {
			if (questions[i].stage != number)
				continue;
			(void)reach(maker, &stages[number], &rehearsal, &step, &answer); /* as before */
			add(maker, list, ask(maker, &questions[i], &rehearsal));
		}
	}
	put(maker, one, "answers", list);
	return one;
}

static json_t *all_answers(struct maker *maker)
{
	json_t *list = json_array();

	for (size_t i = 0; i < NELEM(stages); i++)
		if (!maker->setup.implicit || !stages[i].explicit_only)
			add(maker, list, stage_answers(maker, (enum stage_number)i));
	return list;
}

static json_t *features(struct maker *maker)
{
	struct rehearsal rehearsal;
	json_t *list = json_array();
	const char *line;
	unsigned bits;

	rehearsal_start(&rehearsal, &maker->setup, &maker->offered, &maker->identity);
	bits = ftp_security_features(&rehearsal.machine.security, maker->setup.action);
	for (size_t i = 0; (line = ftp_feat_line(bits, i)) != NULL; i++)
		add(maker, list, text_of(line + 1));
	return list;
}

/* Of the client; null: it shows no certificate. */
static void put_identity(struct maker *maker, json_t *to)
{
	json_t *one = maker->certificate != NULL ? json_object() : json_null();

	if (maker->certificate != NULL) {
		put(maker, one, "subject", text_of(maker->certificate->subject));
		put(maker, one, "user",
		    maker->identity.user != NULL ? text_of(maker->identity.user) : json_null());
		put(maker, one, "service", json_boolean(maker->identity.service));
	}
	put(maker, to, "certificate", one);
}

static void put_rule(struct maker *maker, json_t *to, const struct policy_rule *rule)
{
	const struct policy_backend *backend = rule->backend;
	const struct ip_addr *local = &maker->flow->local;
	const struct ip_addr *advertise = &maker->policy->nat.advertise;
	uint16_t low = rule->ftp->passivedataports.low;
	json_t *tls = settings(maker, "tls_actions", rule->tls);
	json_t *server = settings(maker, "backends", backend);
	char text[IP_TEXT_MAX];

	maker->offered = (struct ip_endpoint){
		.addr = advertise->family == local->family ? *advertise : *local,
		.port = low != 0 ? low : 50000,
	};
	maker->setup = (struct ftp_machine_setup){
		.action = rule->ftp,
		.client = { .addr = maker->flow->remote, .port = 50000 },
		.server = backend->endpoint.addr,
		.implicit = maker->flow->listener->tls == LISTENER_IMPLICIT,
		.modes = session_server_modes(backend),
	};
	if (maker->certificate != NULL)
		users_identify(maker->users, maker->certificate, backend, &maker->identity);
	put_identity(maker, to);
	put(maker, tls, "certificates", certificates(maker, rule->tls->keyring));
	put(maker, server, "address", text_of(ip_endpoint_format(&backend->endpoint, text)));
	put(maker, to, "rule", text_of(rule->name));
	put(maker, to, "tls_action", text_of(rule->tls->name));
	put(maker, to, "tls", tls);
	put(maker, to, "ftp_action", text_of(rule->ftp->name));
	put(maker, to, "ftp", settings(maker, "ftp_actions", rule->ftp));
	put(maker, to, "backend", text_of(backend->name));
	put(maker, to, "server", server);
	put(maker, to, "features", features(maker));
	put(maker, to, "states", all_answers(maker));
}

json_t *explain_make(const struct policy *policy, const struct policy_flow *flow,
		     const struct identity *identity, const struct users *users)
{
	const struct policy_listener *listener = flow->listener;
	struct maker maker = { .policy = policy, .flow = flow, .certificate = identity, .users = users };
	json_t *explanation = json_object(), *tried;
	const struct policy_rule *rule;
	char text[IP_TEXT_MAX];

	put(&maker, explanation, "listener", text_of(listener->name));
	put(&maker, explanation, "starts_tls",
	    json_string(listener->tls == LISTENER_IMPLICIT ? "implicit" : "explicit"));
	put(&maker, explanation, "client", text_of(ip_addr_format(&flow->remote, text)));
	put(&maker, explanation, "local", text_of(ip_addr_format(&flow->local, text)));
	tried = rules_tried(&maker, &rule);
	put(&maker, explanation, "rules", tried);
	if (rule != NULL)
		put_rule(&maker, explanation, rule);
	else
		put(&maker, explanation, "rule", json_null());
	if (maker.failed) {
		json_decref(explanation);
		return NULL;
	}
	return explanation;
}
