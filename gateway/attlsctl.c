/*
 * attlsctl: what a policy says, without the daemon; and what the daemon that runs says and does.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/ctl/client-commands.h"
#include "gateway/ctl/client.h"
#include "gateway/ctl/policy-commands.h"
#include "gateway/ctl/usage.h"
#include "gateway/host/policy-file.h"

/* More than a socket's path may have, so that a longer one is named as it is. */
#define SOCKET_PATH_MAX 256

static const char default_policy[] = "/etc/attlsd/policy.yaml";

struct options {
	const char *policy;
	struct explained_client client;
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

static int run_check(const struct options *options)
{
	return policy_command_check(options->policy, options->json);
}

static int run_explain(const struct options *options)
{
	if (options->client.listener == NULL || options->client.address == NULL)
		return usage_fault("explain needs --listener and --client", "");
	return policy_command_explain(options->policy, &options->client, options->json);
}

static int run_doctor(const struct options *options)
{
	return policy_command_doctor(options->policy, options->json);
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
			options->client.listener = optarg;
			break;
		case 'c':
			options->client.address = optarg;
			break;
		case 'a':
			options->client.local = optarg;
			break;
		case 'x':
			options->client.certificate = optarg;
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
