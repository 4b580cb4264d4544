/*
 * Finds the answers that a client gets, in each state that it can be in. To reach a
 * state it plays a session from the start on the real FTP machine (simulate.c), so
 * the answers are those of attlsd itself.
 */
#include "gateway/ctl/explain-answers.h"

#include <stdio.h>
#include <string.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/base/util.h"

#define STEPS_MAX   6
#define COMMAND_MAX 512 /* USER with a long name */

/* How far a session has come; each stage is played from the session's start. */
struct stage {
	const char *name;
	bool explicit_only;
	const char *steps[STEPS_MAX]; /* without AUTH if TLS comes first */
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

/* Not one of the states that are shown: it is for the principals of `access` only. */
static const struct stage gssapi_in = { "under GSSAPI, logged in",
					false,
					{ "AUTH GSSAPI", "ADAT YQ==", "USER me", "PASS secret" } };

/*
 * The commands to try. @own, @other and @low become PORT or EPRT, as the client's
 * address needs, with its own address, another address and a port below 1024.
 */
static const struct question {
	enum stage_number stage;
	const char *command;
	const char *after[STEPS_MAX]; /* sent before it; a refusal does not stop the client */
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

/* The command with the client's own name and address. */
static const char *spell(const struct explain_maker *maker, const char *command, char buf[static COMMAND_MAX])
{
	static const char *const strangers[][2] = { { "192.0.2.1", "192.0.2.2" },
						    { "2001:db8::1", "2001:db8::2" } };
	struct ip_endpoint target = { .addr = maker->flow->remote, .port = 50000 };
	bool v6 = target.addr.family == IP_V6;
	const struct name_list *permitted = maker->setup.permitted;
	const char *user = maker->client->user;

	if (user == NULL)
		user = maker->identity.user;
	if (user == NULL && maker->setup.action->verifyuser && permitted->n > 0)
		user = permitted->names[0];

	if (strcmp(command, "USER me") == 0 && user != NULL) {
		(void)snprintf(buf, COMMAND_MAX, "USER %s", user);
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

static bool was_accepted(const struct simulation_answer *answer)
{
	return answer->passed || answer->text[0] == '2' || answer->text[0] == '3';
}

/* Is a step not needed, because TLS comes first or a certificate replaces the password? */
static bool is_done(const struct explain_maker *maker, const struct simulation *simulation, const char *step)
{
	return (maker->setup.implicit && strncmp(step, "AUTH", 4) == 0) ||
	       (ftp_machine_is_logged_in(&simulation->machine) && strncmp(step, "PASS", 4) == 0);
}

/* Play a stage. False: one of its steps is refused. */
static bool reach(struct explain_maker *maker, const struct stage *stage, struct simulation *simulation,
		  const char **ret_step, struct simulation_answer *ret_answer)
{
	char buf[COMMAND_MAX];

	simulation_start(simulation, &maker->setup, maker->tls_first, &maker->offered, &maker->identity);
	for (size_t i = 0; i < STEPS_MAX && stage->steps[i] != NULL; i++) {
		*ret_step = stage->steps[i];
		if (is_done(maker, simulation, *ret_step))
			continue;
		simulation_command(simulation, spell(maker, *ret_step, buf), ret_answer);
		if (!was_accepted(ret_answer))
			return false;
	}
	return true;
}

/* At the least: the client's ciphers decide whether a list with NULL ciphers leads to more. */
static const char *data_level(const struct explain_maker *maker, const struct simulation_answer *answer)
{
	if (!answer->protect)
		return "clear";
	return maker->null_ciphers ? "safe" : "private";
}

static void put_answer(struct explain_maker *maker, json_t *to, const char *command,
		       const struct simulation_answer *answer)
{
	explain_put(maker, to, "command", explain_text(command));
	explain_put(maker, to, "by", json_string(answer->passed ? "server" : "gateway"));
	explain_put(maker, to, "answer", answer->passed ? json_null() : explain_text(answer->text));
	if (answer->passed && answer->transfer)
		explain_put(maker, to, "data", json_string(data_level(maker, answer)));
	if (answer->would_refuse != NULL)
		explain_put(maker, to, "would_refuse", json_string(answer->would_refuse));
	if (answer->passed && answer->transfer && maker->setup.server_security != NULL)
		explain_put(maker, to, "data_to_server",
			    json_string(answer->protect_server ? "under TLS" : "in the clear"));
}

static json_t *ask(struct explain_maker *maker, const struct question *question,
		   struct simulation *simulation)
{
	char buf[COMMAND_MAX];
	struct simulation_answer answer;
	json_t *one = json_object(), *after = json_array();
	const char *command = spell(maker, question->command, buf);

	for (size_t i = 0; i < STEPS_MAX && question->after[i] != NULL; i++) {
		simulation_command(simulation, question->after[i], &answer);
		explain_add(maker, after, json_string(question->after[i]));
	}
	simulation_command(simulation, command, &answer);
	explain_put(maker, one, "after", after);
	put_answer(maker, one, command, &answer);
	return one;
}

/* `name` is that of the state, for people. */
static json_t *stage_answers(struct explain_maker *maker, enum stage_number number, const char *name)
{
	json_t *one = json_object(), *list = json_array(), *refused;
	struct simulation_answer answer;
	struct simulation simulation;
	const char *step = NULL;

	explain_put(maker, one, "state", json_string(name));
	if (maker->tls_fails[0] != '\0' && number >= TLS) {
		refused = json_object();
		explain_put(maker, refused, "command",
			    json_string(maker->setup.implicit ? "TLS" : "AUTH TLS"));
		explain_put(maker, refused, "by", json_string("gateway"));
		explain_put(maker, refused, "answer", explain_text(maker->tls_fails));
		explain_put(maker, one, "refused_at", refused);
	} else if (!reach(maker, &stages[number], &simulation, &step, &answer)) {
		refused = json_object();
		put_answer(maker, refused, step, &answer);
		explain_put(maker, one, "refused_at", refused);
	} else {
		for (size_t i = 0; i < NELEM(questions); i++) {
			if (questions[i].stage != number)
				continue;
			/* cannot fail: the stage was reached above */
			(void)reach(maker, &stages[number], &simulation, &step, &answer);
			explain_add(maker, list, ask(maker, &questions[i], &simulation));
		}
	}
	explain_put(maker, one, "answers", list);
	return one;
}

void explain_answers(struct explain_maker *maker, bool either, json_t *to)
{
	char name[64];

	for (size_t i = 0; i < NELEM(stages); i++) {
		if (maker->setup.implicit && stages[i].explicit_only)
			continue;
		(void)snprintf(name, sizeof(name), "%s%s", stages[i].name,
			       either && maker->setup.implicit ? " (TLS at once)" : "");
		explain_add(maker, to, stage_answers(maker, (enum stage_number)i, name));
	}
}

bool explain_log_in(struct explain_maker *maker, enum explain_way way, struct simulation *simulation,
		    char refusal[static EXPLAIN_REASON_MAX])
{
	const struct stage *ways[] = { way == EXPLAIN_GSSAPI ? &gssapi_in : &stages[TLS_IN],
				       way == EXPLAIN_GSSAPI ? NULL : &stages[CLEAR_IN] };
	bool no_tls = way == EXPLAIN_PASSWORD && maker->tls_fails[0] != '\0';
	struct simulation_answer answer;
	const char *step = NULL;

	refusal[0] = '\0';
	for (size_t i = 0; i < NELEM(ways) && ways[i] != NULL; i++) {
		if (i == 0 && no_tls)
			(void)snprintf(refusal, EXPLAIN_REASON_MAX, "%s", maker->tls_fails);
		else if (maker->setup.implicit && ways[i] != &stages[TLS_IN])
			continue; /* there is no other way to begin than with TLS */
		else if (reach(maker, ways[i], simulation, &step, &answer)) {
			refusal[0] = '\0';
			return true;
		} else if (refusal[0] == '\0' || maker->setup.clear_only)
			(void)snprintf(refusal, EXPLAIN_REASON_MAX, "%s", answer.text);
	}
	return false;
}

json_t *explain_features(struct explain_maker *maker)
{
	struct simulation simulation;
	json_t *list = json_array();
	const char *line;

	simulation_start(&simulation, &maker->setup, maker->tls_first, &maker->offered, &maker->identity);
	for (size_t i = 0; (line = ftp_machine_feature(&simulation.machine, i)) != NULL; i++)
		explain_add(maker, list, explain_text(line + 1));
	return list;
}
