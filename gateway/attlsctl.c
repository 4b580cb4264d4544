/*
 * attlsctl: parses the command line and calls the command. Some commands examine a
 * policy without attlsd (policy-commands.c), the others talk to a running attlsd
 * (client-commands.c).
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/ctl/certificate.h"
#include "gateway/ctl/client-commands.h"
#include "gateway/ctl/client-target.h"
#include "gateway/ctl/explain-command.h"
#include "gateway/ctl/policy-commands.h"
#include "gateway/ctl/probe-command.h"
#include "gateway/ctl/usage.h"
#include "gateway/host/policy-file.h"

/* Longer than a socket's path may be, so that messages show an overlong path whole. */
#define SOCKET_PATH_MAX 256

static const char default_policy[] = "/etc/attlsd/policy.yaml";

struct options {
	const char *policy;
	struct explain_question client;
	struct probe_options probe;
	uint64_t session;
	const char *path_given;
	bool json;
	bool restart;
	struct target target; /* for commands that take a socket */
	char path[SOCKET_PATH_MAX];
};

static int run_check(const struct options *options);
static int run_explain(const struct options *options);
static int run_doctor(const struct options *options);
static int run_certificate(const struct options *options);
static int run_probe(const struct options *options);
static int run_status(const struct options *options);
static int run_sessions(const struct options *options);
static int run_end(const struct options *options);
static int run_reload(const struct options *options);
static int run_drain(const struct options *options);
static int run_version(const struct options *options);
static int run_help(const struct options *options);

/* What a command takes; bits. */
enum take {
	TAKE_FILE = 1 << 0, /* -f, too */
	TAKE_JSON = 1 << 1,
	TAKE_LISTENER = 1 << 2,
	TAKE_CLIENT = 1 << 3,
	TAKE_LOCAL = 1 << 4,
	TAKE_CERTIFICATE = 1 << 5,
	TAKE_SOCKET = 1 << 6,
	TAKE_SESSION = 1 << 7, /* not an option: the number of a session, after the options */
	TAKE_PATH = 1 << 8,    /* the same: a file */
	TAKE_USER = 1 << 9,
	TAKE_SNI = 1 << 10,
	TAKE_DIFF = 1 << 11,
	TAKE_TO = 1 << 12,
	TAKE_RESTART = 1 << 13,
	TAKE_HOST = 1 << 14, /* as TAKE_PATH: a server */
	TAKE_IMPLICIT = 1 << 15,
	TAKE_HOSTNAME = 1 << 16,
	TAKE_TRUST = 1 << 17,
};

static const struct command {
	const char *name;
	unsigned takes; /* of enum take */
	const char *arguments;
	const char *summary;
	int (*run)(const struct options *options);
} commands[] = {
	{ "check", TAKE_FILE | TAKE_JSON, "[-f policy.yaml] [--json]",
	  "Check a policy as attlsd -n does, and show all its faults.", run_check },
	{ "explain",
	  TAKE_FILE | TAKE_JSON | TAKE_LISTENER | TAKE_CLIENT | TAKE_LOCAL | TAKE_CERTIFICATE | TAKE_USER |
	      TAKE_SNI | TAKE_DIFF | TAKE_TO,
	  "[-f policy.yaml] [--listener NAME] [--client ADDRESS] [--local ADDRESS[:PORT]]\n"
	  "                        [--to HOST[:PORT]] [--certificate FILE] [--user NAME] [--sni HOST] [--diff OTHER.yaml] [--json]",
	  "Show what happens to this client, or what changes for it with another policy.", run_explain },
	{ "doctor", TAKE_FILE | TAKE_JSON, "[-f policy.yaml] [--json]",
	  "Check what this host lacks for this policy, and show the fixes.", run_doctor },
	{ "certificate", TAKE_PATH, "FILE", "Print the entry of users for this certificate (PEM or DER).",
	  run_certificate },
	{ "probe", TAKE_HOST | TAKE_IMPLICIT | TAKE_HOSTNAME | TAKE_TRUST | TAKE_JSON,
	  "[--implicit] [--hostname NAME] [--trust FILE] [--json] HOST[:PORT]",
	  "Show how this server speaks TLS, and print the part of a policy for it.", run_probe },
	{ "status", TAKE_FILE | TAKE_SOCKET | TAKE_JSON, "[-f policy.yaml | --socket PATH] [--json]",
	  "Show the policy, workers and number of sessions of a running attlsd.", run_status },
	{ "sessions", TAKE_FILE | TAKE_SOCKET | TAKE_JSON, "[-f policy.yaml | --socket PATH] [--json]",
	  "List the sessions: clients, users and transfers.", run_sessions },
	{ "end", TAKE_FILE | TAKE_SOCKET | TAKE_SESSION, "[-f policy.yaml | --socket PATH] SESSION",
	  "End this session now; a transfer is cut off.", run_end },
	{ "reload", TAKE_FILE | TAKE_SOCKET, "[-f policy.yaml | --socket PATH]",
	  "Make attlsd read its policy again, and wait for the result.", run_reload },
	{ "drain", TAKE_FILE | TAKE_SOCKET | TAKE_RESTART, "[-f policy.yaml | --socket PATH] [--restart]",
	  "Make attlsd exit after the transfers under way, as SIGTERM does.", run_drain },
	{ "version", 0, "", "The version.", run_version },
	{ "help", 0, "", "This text.", run_help },
};

/* Common to many programs. */
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
	{ "file", required_argument, NULL, TAKE_FILE },
	{ "json", no_argument, NULL, TAKE_JSON },
	{ "listener", required_argument, NULL, TAKE_LISTENER },
	{ "client", required_argument, NULL, TAKE_CLIENT },
	{ "local", required_argument, NULL, TAKE_LOCAL },
	{ "to", required_argument, NULL, TAKE_TO },
	{ "certificate", required_argument, NULL, TAKE_CERTIFICATE },
	{ "user", required_argument, NULL, TAKE_USER },
	{ "sni", required_argument, NULL, TAKE_SNI },
	{ "diff", required_argument, NULL, TAKE_DIFF },
	{ "socket", required_argument, NULL, TAKE_SOCKET },
	{ "restart", no_argument, NULL, TAKE_RESTART },
	{ "implicit", no_argument, NULL, TAKE_IMPLICIT },
	{ "hostname", required_argument, NULL, TAKE_HOSTNAME },
	{ "trust", required_argument, NULL, TAKE_TRUST },
	{ NULL, 0, NULL, 0 },
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
	    "Exit status: 0; 1 for faults, problems, when no rule matches, --diff finds changes, or when "
	    "attlsd cannot be reached or refuses; 2 for wrong usage.\n",
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
	return explain_command(options->policy, &options->client, options->json);
}

static int run_doctor(const struct options *options)
{
	return policy_command_doctor(options->policy, options->json);
}

static int run_certificate(const struct options *options)
{
	return certificate_print(options->path_given);
}

static int run_probe(const struct options *options)
{
	struct probe_options probe = options->probe;

	probe.json = options->json;
	return probe_command(&probe);
}

/*
 * Find the attlsd to ask: the one at the socket that an option names, or the one
 * that serves the policy, even if the policy has faults now. Returns 0, or -1 after
 * printing why there is none.
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
		    "attlsctl: %s: has control_socket: none, so attlsctl cannot reach attlsd; use signals: "
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
	return client_drain(&options->target, options->restart);
}

/* The number of a session, after the options. */
static int take_session(const char *text, struct options *options)
{
	int end = 0;

	if (text == NULL)
		return usage_fault("the number of a session is missing; attlsctl sessions shows them", "");
	if (text[0] < '0' || text[0] > '9' || /* strtoull() would accept blanks and signs */
	    sscanf(text, "%19" SCNu64 "%n", &options->session, &end) != 1 || text[end] != '\0')
		return usage_fault("not the number of a session:", text);
	return 0;
}

static int unfit_option(const struct command *command, int which)
{
	const struct option *option = option_table;

	while (option->name != NULL && option->val != which)
		option++;
	(void)fprintf(stderr, "attlsctl: %s takes no option --%s\nusage: attlsctl %s %s\n", command->name,
		      option->name != NULL ? option->name : "", command->name, command->arguments);
	return EXIT_USAGE;
}

static void take_option(enum take which, struct options *options)
{
	switch (which) {
	case TAKE_FILE:
		options->policy = optarg;
		break;
	case TAKE_JSON:
		options->json = true;
		break;
	case TAKE_LISTENER:
		options->client.listener = optarg;
		break;
	case TAKE_CLIENT:
		options->client.address = optarg;
		break;
	case TAKE_LOCAL:
		options->client.local = optarg;
		break;
	case TAKE_CERTIFICATE:
		options->client.certificate = optarg;
		break;
	case TAKE_USER:
		options->client.user = optarg;
		break;
	case TAKE_TO:
		options->client.to = optarg;
		break;
	case TAKE_SNI:
		options->client.sni = optarg;
		break;
	case TAKE_DIFF:
		options->client.other = optarg;
		break;
	case TAKE_SOCKET:
		options->target.socket = optarg;
		break;
	case TAKE_RESTART:
		options->restart = true;
		break;
	case TAKE_IMPLICIT:
		options->probe.implicit = true;
		break;
	case TAKE_HOSTNAME:
		options->probe.hostname = optarg;
		break;
	case TAKE_TRUST:
		options->probe.trust = optarg;
		break;
	case TAKE_SESSION: /* no options */
	case TAKE_PATH:
	case TAKE_HOST:
		break;
	}
}

static int take_options(const struct command *command, int argc, char **argv, struct options *options)
{
	int status = 0;
	int which;

	while ((which = getopt_long(argc, argv, "f:", option_table, NULL)) != -1) {
		if (which == '?') /* getopt_long() has printed what is wrong */
			return EXIT_USAGE;
		if (which == 'f')
			which = TAKE_FILE;
		if ((command->takes & (unsigned)which) == 0)
			return unfit_option(command, which);
		take_option((enum take)which, options);
	}
	if ((command->takes & TAKE_SESSION) != 0)
		status = take_session(argv[optind++], options);
	if ((command->takes & TAKE_PATH) != 0) {
		options->path_given = argv[optind];
		if (options->path_given == NULL)
			return usage_fault("the file of a certificate is missing", "");
		optind++;
	}
	if ((command->takes & TAKE_HOST) != 0) {
		options->probe.host = argv[optind];
		if (options->probe.host == NULL)
			return usage_fault("the server is missing: HOST or HOST:PORT", "");
		optind++;
	}
	if (status == 0 && optind < argc)
		status = usage_fault("unexpected argument", argv[optind]);
	return status;
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
	argv[1] = argv[0]; /* the name in the messages of getopt() */
	status = take_options(command, argc - 1, argv + 1, &options);
	if (status == 0 && (command->takes & TAKE_SOCKET) != 0 && find_target(&options) < 0)
		status = EXIT_FAILURE;
	return status != 0 ? status : command->run(&options);
}
