/*
 * attlsctl: what a policy says, without the daemon; and what the daemon that runs says and does.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/ctl/client-commands.h"
#include "gateway/ctl/client.h"
#include "gateway/ctl/doctor.h"
#include "gateway/ctl/explain-print.h"
#include "gateway/ctl/explain.h"
#include "gateway/host/policy-file.h"
#include "gateway/tls/policy-check.h"
#include "gateway/tls/identity.h"
#include "gateway/tls/users.h"

#define EXIT_USAGE 2
/* More than a socket's path may have, so that a longer one is named as it is. */
#define SOCKET_PATH_MAX 256

static const char default_policy[] = "/etc/attlsd/policy.yaml";

struct options {
	const char *policy;
	const char *listener;
	const char *client;
	const char *local;
	const char *certificate;
	uint64_t session;
	bool json;
	struct target target; /* of commands that take a socket */
	char path[SOCKET_PATH_MAX];
};

static int run_check(const struct options *options);
static int run_explain(const struct options *options);
static int run_doctor(const struct options *options);
static int run_status(const struct options *options);
static int run_sessions(const struct options *options);
static int run_end(const struct options *options);
static int run_reload(const struct options *options);
static int run_drain(const struct options *options);
static int run_version(const struct options *options);
static int run_help(const struct options *options);

/* options: the letters of option_table that the command takes, and '=' when a session has to follow. */
static const struct command {
	const char *name;
	const char *options;
	const char *arguments;
	const char *summary;
	int (*run)(const struct options *options);
} commands[] = {
	{ "check", "fj", "[-f policy.yaml] [--json]",
	  "Could attlsd serve this policy? The verdict of attlsd -n, with all faults.", run_check },
	{ "explain", "fjlcax",
	  "[-f policy.yaml] --listener NAME --client ADDRESS [--local ADDRESS]\n"
	  "                        [--certificate FILE] [--json]",
	  "What would happen to this client: rule, settings, answers.", run_explain },
	{ "doctor", "fj", "[-f policy.yaml] [--json]",
	  "What does this host lack for this policy? With the commands that fix it.", run_doctor },
	{ "status", "fsj", "[-f policy.yaml | --socket PATH] [--json]",
	  "The attlsd that runs: its policy, its workers, how many sessions.", run_status },
	{ "sessions", "fsj", "[-f policy.yaml | --socket PATH] [--json]",
	  "Who is connected, as whom, and what is transferred.", run_sessions },
	{ "end", "fs=", "[-f policy.yaml | --socket PATH] SESSION",
	  "End this session now; a transfer is cut off.", run_end },
	{ "reload", "fs", "[-f policy.yaml | --socket PATH]",
	  "Let attlsd read its policy again, and wait for what becomes of it.", run_reload },
	{ "drain", "fs", "[-f policy.yaml | --socket PATH]",
	  "Let attlsd end when the transfers that run are done, as SIGTERM does.", run_drain },
	{ "version", "", "", "The version.", run_version },
	{ "help", "", "", "This text.", run_help },
};

/* As other programs have them. */
static const struct alias {
	const char *name;
	const char *means;
} aliases[] = {
	{ "-h", "help" },
	{ "--help", "help" },
	{ "-V", "version" },
	{ "--version", "version" },
};

static const struct option option_table[] = {
	{ "file", required_argument, NULL, 'f' },     { "json", no_argument, NULL, 'j' },
	{ "listener", required_argument, NULL, 'l' }, { "client", required_argument, NULL, 'c' },
	{ "local", required_argument, NULL, 'a' },    { "certificate", required_argument, NULL, 'x' },
	{ "socket", required_argument, NULL, 's' },   { NULL, 0, NULL, 0 },
};

static void print_help(FILE *out)
{
	for (size_t i = 0; i < NELEM(commands); i++)
		(void)fprintf(out, "%s attlsctl %s%s%s\n           %s\n", i == 0 ? "usage:" : "      ",
			      commands[i].name, commands[i].arguments[0] != '\0' ? " " : "",
			      commands[i].arguments, commands[i].summary);
	(void)fprintf(
	    out,
	    "The policy is %s unless -f names another.\n"
	    "Exit status: 0; 1 for faults, problems, when no rule matches, or when attlsd cannot be "
	    "reached or refuses; 2 for wrong usage.\n",
	    default_policy);
}

static int usage_fault(const char *what, const char *which)
{
	(void)fprintf(stderr, "attlsctl: %s%s%s\n", what, which[0] != '\0' ? " " : "", which);
	return EXIT_USAGE;
}

static int run_version(const struct options *options)
{
	(void)options;
	(void)printf("attlsctl %s\n", ATTLSD_VERSION);
	return EXIT_SUCCESS;
}

static int run_help(const struct options *options)
{
	(void)options;
	print_help(stdout);
	return EXIT_SUCCESS;
}

/* Print and drop. */
static int print_json(json_t *json)
{
	int r = json == NULL ? -1 : json_dumpf(json, stdout, JSON_INDENT(2));

	json_decref(json);
	(void)putchar('\n');
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static json_t *diags_to_json(const struct diags *diags, bool ok)
{
	json_t *list = json_array();

	for (size_t i = 0; i < diags->nitems; i++) {
		const struct diag *item = &diags->items[i];
		/* a message may quote a path in any encoding */
		json_t *message = json_string(item->message);

		if (message == NULL)
			message = json_string("(not UTF-8; see the text output)");
		(void)json_array_append_new(list, json_pack("{s:s,s:i,s:i,s:o}", "level",
							    item->level == DIAG_ERROR ? "error" : "warning",
							    "line", (int)item->mark.line, "column",
							    (int)item->mark.column, "message", message));
	}
	return json_pack("{s:b,s:i,s:o}", "ok", ok, "errors", (int)diags->nerrors, "diagnostics", list);
}

static int run_check(const struct options *options)
{
	struct diags diags;
	bool ok = policy_check(options->policy, &diags) == 0;
	int status = ok ? EXIT_SUCCESS : EXIT_FAILURE;

	if (options->json) {
		if (print_json(diags_to_json(&diags, ok)) != EXIT_SUCCESS)
			status = EXIT_FAILURE;
	} else {
		diags_print(&diags, stderr);
		if (ok)
			(void)printf("%s: ok\n", options->policy);
		else
			(void)fprintf(stderr, "%zu error%s\n", diags.nerrors, diags.nerrors == 1 ? "" : "s");
	}
	diags_done(&diags);
	return status;
}

static const struct policy_listener *find_listener(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (strcmp(policy->listeners[i].name, name) == 0)
			return &policy->listeners[i];
	return NULL;
}

static bool asks_for_local(const struct policy *policy)
{
	for (size_t i = 0; i < policy->nrules; i++)
		if (policy->rules[i].nlocal_addrs > 0)
			return true;
	return false;
}

/* The connection that the options speak of. 0, or the exit status after saying what is wrong. */
static int make_flow(const struct options *options, const struct policy *policy, struct policy_flow *flow)
{
	const struct ip_addr *listening;

	*flow = (struct policy_flow){ .listener = find_listener(policy, options->listener) };
	if (flow->listener == NULL)
		return usage_fault("the policy has no listener", options->listener);
	listening = &flow->listener->endpoint.addr;
	flow->local = *listening;
	if (ip_addr_parse(options->client, strlen(options->client), &flow->remote) < 0)
		return usage_fault("not an IP address:", options->client);
	if (options->local != NULL && ip_addr_parse(options->local, strlen(options->local), &flow->local) < 0)
		return usage_fault("not an IP address:", options->local);
	if (flow->remote.family != listening->family)
		return usage_fault("this listener has no clients of that address family:", options->client);
	if (options->local != NULL && !ip_addr_is_any(listening) && !ip_addr_equal(&flow->local, listening))
		return usage_fault("this listener is not at", options->local);
	if (flow->local.family != listening->family)
		return usage_fault("this listener is not at", options->local);
	if (ip_addr_is_any(&flow->local) && asks_for_local(policy))
		return usage_fault("rules of this policy ask which address was dialled: give --local", "");
	return 0;
}

static int explain(const struct options *options, const struct policy *policy,
		   const struct identity *identity, const struct users *users)
{
	struct policy_flow flow;
	json_t *explanation;
	int status = make_flow(options, policy, &flow);

	if (status != 0)
		return status;
	explanation = explain_make(policy, &flow, identity, users);
	if (explanation == NULL) {
		(void)fputs("attlsctl: not enough memory\n", stderr);
		return EXIT_FAILURE;
	}
	status = json_is_null(json_object_get(explanation, "rule")) ? EXIT_FAILURE : EXIT_SUCCESS;
	if (options->json)
		return print_json(explanation) == EXIT_SUCCESS ? status : EXIT_FAILURE;
	explain_print(explanation, stdout);
	json_decref(explanation);
	return status;
}

/* Users matter, with their password files, only to somebody who shows a certificate. */
static int explain_certificate(const struct options *options, const struct policy *policy,
			       struct diags *diags)
{
	struct identity identity = { .present = false };
	struct users *users = NULL;
	int status = EXIT_FAILURE;

	if (identity_from_file(options->certificate, &identity) < 0)
		return usage_fault("there is no certificate in PEM in", options->certificate);
	if (users_load(policy, diags, &users) == 0)
		status = explain(options, policy, &identity, users);
	else
		diags_print(diags, stderr);
	users_free(&users);
	identity_done(&identity);
	return status;
}

/* Keys are not needed, so whoever may read the policy may ask. */
static int run_explain(const struct options *options)
{
	struct policy *policy = NULL;
	struct diags diags;
	int status = EXIT_FAILURE;

	if (options->listener == NULL || options->client == NULL)
		return usage_fault("explain needs --listener and --client", "");
	if (policy_file_load(options->policy, &diags, &policy) < 0)
		diags_print(&diags, stderr);
	else if (options->certificate != NULL)
		status = explain_certificate(options, policy, &diags);
	else
		status = explain(options, policy, NULL, NULL);
	policy_free(&policy);
	diags_done(&diags);
	return status;
}

static int run_doctor(const struct options *options)
{
	struct policy *policy = NULL;
	struct diags diags;
	json_t *report;
	int status = EXIT_FAILURE;

	if (policy_file_load(options->policy, &diags, &policy) < 0) {
		diags_print(&diags, stderr);
		diags_done(&diags);
		return EXIT_FAILURE;
	}
	report = doctor_examine(policy, options->policy);
	if (report == NULL) {
		(void)fputs("attlsctl: not enough memory\n", stderr);
	} else {
		status = json_is_true(json_object_get(report, "ok")) ? EXIT_SUCCESS : EXIT_FAILURE;
		if (!options->json)
			doctor_print(report, stdout);
		else if (print_json(json_incref(report)) != EXIT_SUCCESS)
			status = EXIT_FAILURE;
		json_decref(report);
	}
	policy_free(&policy);
	diags_done(&diags);
	return status;
}

/*
 * Whom to ask: the attlsd at the socket that an option names, or the one that
 * serves the policy, which may have faults by now. Returns 0; or -1 after saying
 * why there is none.
 */
static int find_target(struct options *options)
{
	int r;

	if (options->target.socket != NULL)
		return 0;
	r = policy_file_peek_control_socket(options->policy, options->path, sizeof(options->path));
	if (r == 0 && options->path[0] == '\0') {
		(void)fprintf(
		    stderr,
		    "attlsctl: %s: has control_socket: none, so attlsd cannot be asked; signals work: "
		    "SIGHUP reloads, SIGTERM drains\n",
		    options->policy);
		return -1;
	}
	if (r < 0) {
		(void)fprintf(
		    stderr,
		    "attlsctl: %s: %s; name the policy that attlsd serves with -f, or its control_socket "
		    "with --socket (mostly /run/attlsd/control.sock)\n",
		    options->policy, r == -EINVAL ? "this is not YAML" : strerror(-r));
		return -1;
	}
	options->target = (struct target){ .socket = options->path, .policy = options->policy };
	return 0;
}

static int run_status(const struct options *options)
{
	return client_status(&options->target, options->json);
}

static int run_sessions(const struct options *options)
{
	return client_sessions(&options->target, options->json);
}

static int run_end(const struct options *options)
{
	return client_end(&options->target, options->session);
}

static int run_reload(const struct options *options)
{
	return client_reload(&options->target);
}

static int run_drain(const struct options *options)
{
	return client_drain(&options->target);
}

/* The number of a session, behind the options. */
static int take_session(const char *text, struct options *options)
{
	int end = 0;

	if (text == NULL)
		return usage_fault("the number of a session is missing; attlsctl sessions shows them", "");
	if (text[0] < '0' || text[0] > '9' || /* blanks and signs */
	    sscanf(text, "%19" SCNu64 "%n", &options->session, &end) != 1 || text[end] != '\0')
		return usage_fault("not the number of a session:", text);
	return 0;
}

static int unfit_option(const struct command *command, int letter)
{
	const struct option *option = option_table;

	while (option->name != NULL && option->val != letter)
		option++;
	(void)fprintf(stderr, "attlsctl: %s takes no option --%s\nusage: attlsctl %s %s\n", command->name,
		      option->name != NULL ? option->name : "", command->name, command->arguments);
	return EXIT_USAGE;
}

static int take_options(const struct command *command, int argc, char **argv, struct options *options)
{
	int letter;

	while ((letter = getopt_long(argc, argv, "f:", option_table, NULL)) != -1) {
		if (letter != '?' && strchr(command->options, letter) == NULL)
			return unfit_option(command, letter);
		switch (letter) {
		case 'f':
			options->policy = optarg;
			break;
		case 'j':
			options->json = true;
			break;
		case 'l':
			options->listener = optarg;
			break;
		case 'c':
			options->client = optarg;
			break;
		case 'a':
			options->local = optarg;
			break;
		case 'x':
			options->certificate = optarg;
			break;
		case 's':
			options->target.socket = optarg;
			break;
		default:
			return EXIT_USAGE;
		}
	}
	if (strchr(command->options, '=') != NULL) {
		int status = take_session(argv[optind], options);

		if (status != 0)
			return status;
		optind++;
	}
	return optind < argc ? usage_fault("unexpected argument", argv[optind]) : 0;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < NELEM(aliases); i++)
		if (strcmp(name, aliases[i].name) == 0)
			name = aliases[i].means;
	for (size_t i = 0; i < NELEM(commands); i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

static int unknown_command(const char *name)
{
	const char *names[NELEM(commands) + 1] = { NULL };
	const char *near;

	for (size_t i = 0; i < NELEM(commands); i++)
		names[i] = commands[i].name;
	near = diag_suggest(name, names);
	if (near != NULL)
		(void)fprintf(stderr, "attlsctl: unknown command %s; did you mean %s?\n", name, near);
	else
		(void)fprintf(stderr, "attlsctl: unknown command %s; attlsctl help shows them all\n", name);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct options options = { .policy = default_policy };
	const struct command *command;
	int status;

	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	command = find_command(argv[1]);
	if (command == NULL)
		return unknown_command(argv[1]);
	argv[1] = argv[0]; /* the name that getopt() complains under */
	status = take_options(command, argc - 1, argv + 1, &options);
	if (status == 0 && strchr(command->options, 's') != NULL && find_target(&options) < 0)
		status = EXIT_FAILURE;
	return status != 0 ? status : command->run(&options);
}
