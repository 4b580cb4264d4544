/*
 * attlsctl's commands: what each takes on the command line, and which function carries
 * it out. Some examine a policy or a file without attlsd, the others talk to a running
 * attlsd (client-commands.c).
 */
#include "gateway/ctl/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/base/util.h"
#include "gateway/ctl/audit-command.h"
#include "gateway/ctl/backend-command.h"
#include "gateway/ctl/certificate.h"
#include "gateway/ctl/client-commands.h"
#include "gateway/ctl/explain-command.h"
#include "gateway/ctl/filter-names.h"
#include "gateway/ctl/filter-options.h"
#include "gateway/ctl/init.h"
#include "gateway/ctl/node-commands.h"
#include "gateway/ctl/policy-commands.h"
#include "gateway/ctl/probe-command.h"
#include "gateway/ctl/import-commands.h"
#include "gateway/ctl/report-command.h"
#include "gateway/ctl/schema-command.h"
#include "gateway/ctl/top.h"
#include "gateway/ctl/usage.h"
#include "gateway/view/trace-view.h"

/* How often --watch shows the sessions, if it does not say so. */
#define WATCH_DEFAULT_S 2

static bool is_given(const struct command_line *line, enum command_option option)
{
	return line->options[option] != NULL;
}

static bool wants_json(const struct command_line *line)
{
	return is_given(line, OPTION_JSON);
}

static int run_check(const struct command_line *line)
{
	return policy_command_check(line->policy, line->options[OPTION_NODE], wants_json(line));
}

static int run_explain(const struct command_line *line)
{
	const struct explain_question question = {
		.listener = line->options[OPTION_LISTENER],
		.address = line->options[OPTION_CLIENT],
		.local = line->options[OPTION_LOCAL],
		.to = line->options[OPTION_TO],
		.certificate = line->options[OPTION_CERTIFICATE],
		.user = line->options[OPTION_USER],
		.sni = line->options[OPTION_SNI],
		.host = line->options[OPTION_HOST],
		.other = line->options[OPTION_DIFF],
		.at = line->options[OPTION_AT],
		.path = line->options[OPTION_PATH],
	};

	return explain_command(line->policy, line->options[OPTION_NODE], &question, wants_json(line));
}

static int run_doctor(const struct command_line *line)
{
	return policy_command_doctor(line->policy, line->options[OPTION_NODE], wants_json(line));
}

static int run_certificate(const struct command_line *line)
{
	return certificate_print(line->operand);
}

static int run_probe(const struct command_line *line)
{
	const struct probe_options probe = {
		.host = line->operand,
		.hostname = line->options[OPTION_HOSTNAME],
		.trust = line->options[OPTION_TRUST],
		.implicit = is_given(line, OPTION_IMPLICIT),
		.json = wants_json(line),
	};

	return probe_command(&probe);
}

static int run_status(const struct command_line *line)
{
	if (is_given(line, OPTION_READY))
		return ready_command(line);
	return client_status(&line->target, wants_json(line));
}

/* The number of a session. Returns 0 or the exit status. */
static int parse_session(const char *text, uint64_t *ret)
{
	int end = 0;

	if (text[0] < '0' || text[0] > '9' || /* sscanf() would accept blanks and signs */
	    sscanf(text, "%19" SCNu64 "%n", ret, &end) != 1 || text[end] != '\0')
		return usage_fault("not the number of a session:", text);
	return 0;
}

/* The number of a session, or options that choose some. */
static int parse_choice(const struct command_line *line, struct session_filter *ret)
{
	if (line->operand != NULL && filter_options_given(line))
		return usage_fault("either the number of a session or options that choose sessions, not both",
				   "");
	*ret = (struct session_filter){ .session = 0 };
	return line->operand != NULL ? parse_session(line->operand, &ret->session)
				     : filter_options_parse(line, ret);
}

/* How often to show them again. */
static int parse_watch(const struct command_line *line, unsigned *ret)
{
	const char *text = line->options[OPTION_WATCH];
	int end = 0;

	*ret = 0;
	if (text == NULL)
		return 0;
	*ret = WATCH_DEFAULT_S;
	if (text[0] == '\0')
		return 0;
	if (text[0] < '0' || text[0] > '9' || sscanf(text, "%4u%n", ret, &end) != 1 || text[end] != '\0' ||
	    *ret == 0)
		return usage_fault("--watch needs a number of seconds from 1 to 9999, not", text);
	return 0;
}

static int check_filter(const struct command_line *line)
{
	struct session_filter filter;

	return filter_options_parse(line, &filter);
}

static int check_sessions(const struct command_line *line)
{
	struct session_filter filter;
	unsigned seconds;
	int status = parse_choice(line, &filter);

	return status == 0 ? parse_watch(line, &seconds) : status;
}

static int run_sessions(const struct command_line *line)
{
	struct session_filter filter;
	unsigned seconds;

	(void)parse_choice(line, &filter);
	(void)parse_watch(line, &seconds);
	return client_sessions(&line->target, &filter, wants_json(line), seconds);
}

static int check_end(const struct command_line *line)
{
	struct session_filter filter;

	if (line->operand == NULL && !filter_options_given(line))
		return usage_fault(
		    "which session? Give its number (attlsctl sessions shows them), or options that "
		    "choose sessions",
		    "");
	return parse_choice(line, &filter);
}

static int run_top(const struct command_line *line)
{
	struct session_filter filter;

	(void)filter_options_parse(line, &filter);
	return top_run(&line->target, &filter);
}

static int run_end(const struct command_line *line)
{
	struct session_filter filter;

	(void)parse_choice(line, &filter);
	return line->operand != NULL ? client_end(&line->target, filter.session)
				     : client_end_all(&line->target, &filter);
}

static int run_events(const struct command_line *line)
{
	return client_events(&line->target, wants_json(line));
}

static int run_metrics(const struct command_line *line)
{
	return client_metrics(&line->target, is_given(line, OPTION_OPENMETRICS));
}

/* Returns 0 or the exit status. */
static int parse_trace(const struct command_line *line, struct trace_options *ret)
{
	const char *last = line->options[OPTION_LAST];
	int status, end = 0;

	*ret = (struct trace_options){ .data = is_given(line, OPTION_DATA), .json = wants_json(line) };
	status = parse_choice(line, &ret->filter);
	if (status != 0 || last == NULL)
		return status;
	if (ret->data)
		return usage_fault("--data is for sessions that run: use it without --last", "");
	if (last[0] < '0' || last[0] > '9' || sscanf(last, "%5" SCNu32 "%n", &ret->last, &end) != 1 ||
	    last[end] != '\0' || ret->last == 0 || ret->last > CTL_TRACE_LAST_MAX)
		return usage_fault("--last needs a number from 1 to 10000, not", last);
	return 0;
}

static int check_trace(const struct command_line *line)
{
	struct trace_options options;

	return parse_trace(line, &options);
}

static int run_trace(const struct command_line *line)
{
	struct trace_options options;

	(void)parse_trace(line, &options);
	if (filter_names_check(&line->target, &options.filter) < 0)
		return EXIT_FAILURE; /* it would wait for sessions that never come */
	return trace_view(&line->target, &options) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_reload(const struct command_line *line)
{
	return client_reload(&line->target, is_given(line, OPTION_NO_UPGRADE));
}

static int run_upgrade(const struct command_line *line)
{
	int status = command_line_find_target((struct command_line *)(uintptr_t)line);

	return status != 0 ? EXIT_NOT_ASKED : client_upgrade(&line->target);
}

static int run_schema(const struct command_line *line)
{
	bool of_node = line->operand != NULL && strcmp(line->operand, "node") == 0;

	if (line->operand != NULL && !of_node && strcmp(line->operand, "policy") != 0)
		return usage_fault("schema prints the schema of a policy or a node, not of", line->operand);
	return schema_command(of_node);
}

static int run_version(const struct command_line *line)
{
	(void)line;
	(void)printf("attlsctl %s\n", ATTLSD_VERSION);
	return EXIT_SUCCESS;
}

static int run_help(const struct command_line *line)
{
	(void)line;
	commands_print(stdout);
	return EXIT_SUCCESS;
}

static const struct command commands[] = {
	{ .name = "init",
	  .takes = TAKES(BACKEND) | TAKES(NAME) | TAKES(CERTIFICATE) | TAKES(KEY) | TAKES(THROWAWAY) |
		   TAKES(PORT) | TAKES(IMPLICIT_PORT) | TAKES(PASSIVEDATAPORTS) | TAKES(ADVERTISE) |
		   TAKES(PARTNER) | TAKES(PARTNERS_ONLY) | TAKES(OUTPUT) | TAKES(FORCE),
	  .repeats = TAKES(NAME) | TAKES(PARTNER),
	  .arguments =
	      "[--backend HOST:PORT] [--name HOST]... [--certificate FILE [--key FILE] | --throwaway]\n"
	      "                        [--port [ADDRESS:]PORT] [--implicit-port [ADDRESS:]PORT|none]\n"
	      "                        [--passivedataports LOW-HIGH] [--advertise ADDRESS]\n"
	      "                        [--partner NAME=NETWORK[,NETWORK...][,certificates=FILE][,ccc][,clear][,zos]]...\n"
	      "                        [--partners-only] [-o policy.yaml] [--force]",
	  .summary =
	      "Write the first policy: look at the server, ask for what is not given, check the result.",
	  .check = init_command_check,
	  .run = init_command_run },
	{ .name = "check",
	  .takes = TAKES(FILE) | TAKES(NODE) | TAKES(JSON),
	  .arguments = "[-f policy.yaml] [-N node.yaml] [--json]",
	  .summary = "Check a policy as attlsd -n does, and show all its faults.",
	  .run = run_check },
	{ .name = "schema",
	  .may_have_operand = true,
	  .arguments = "[policy | node]",
	  .summary = "Print the JSON schema with which editors check a policy, or the file of a node.",
	  .run = run_schema },
	{ .name = "explain",
	  .takes = TAKES(FILE) | TAKES(NODE) | TAKES(JSON) | TAKES(LISTENER) | TAKES(CLIENT) | TAKES(LOCAL) |
		   TAKES(CERTIFICATE) | TAKES(USER) | TAKES(SNI) | TAKES(HOST) | TAKES(DIFF) | TAKES(TO) |
		   TAKES(AT) | TAKES(PATH),
	  .arguments =
	      "[-f policy.yaml] [-N node.yaml] [--listener NAME] [--client ADDRESS] [--local ADDRESS[:PORT]]\n"
	      "                        [--to HOST[:PORT]] [--certificate FILE] [--user NAME] [--sni HOST] [--host HOST]\n"
	      "                        [--at TIME] [--path SERVER-PATH] [--diff OTHER.yaml] [--json]",
	  .summary = "Show what happens to this client, or what changes for it with another policy.",
	  .run = run_explain },
	{ .name = "doctor",
	  .takes = TAKES(FILE) | TAKES(NODE) | TAKES(JSON),
	  .arguments = "[-f policy.yaml] [-N node.yaml] [--json]",
	  .summary = "Check what this host lacks for this policy, and show the fixes.",
	  .run = run_doctor },
	{ .name = "certificate",
	  .needs = "the file of a certificate is missing",
	  .arguments = "FILE",
	  .summary = "Print the entry of users for this certificate (PEM or DER).",
	  .run = run_certificate },
	{ .name = "probe",
	  .takes = TAKES(IMPLICIT) | TAKES(HOSTNAME) | TAKES(TRUST) | TAKES(JSON),
	  .needs = "the server is missing: HOST or HOST:PORT",
	  .arguments = "[--implicit] [--hostname NAME] [--trust FILE] [--json] HOST[:PORT]",
	  .summary = "Show how this server speaks TLS, and print the part of a policy for it.",
	  .run = run_probe },
	{ .name = "import",
	  .takes = TAKES(FTP_DATA) | TAKES(ATTLS) | TAKES(VSFTPD) | TAKES(PROFTPD) | TAKES(BACKEND) |
		   TAKES(OUTPUT) | TAKES(REPORT) | TAKES(JSON) | TAKES(FORCE),
	  .repeats = TAKES(FTP_DATA) | TAKES(ATTLS),
	  .arguments =
	      "{[--ftp-data FILE]... [--attls FILE]... | --vsftpd FILE | --proftpd FILE}\n"
	      "                        [--backend HOST:PORT] [-o policy.yaml] [--report FILE [--json]] [--force]",
	  .summary = "Make a policy of the files of z/OS, or of a server's configuration.",
	  .check = import_check,
	  .run = import_run },
	{ .name = "export",
	  .takes = TAKES(FILE) | TAKES(FTP_DATA),
	  .arguments = "[-f policy.yaml] --ftp-data NAME",
	  .summary = "Print one of ftp_actions, or a backend with tls, as FTP.DATA.",
	  .check = export_check,
	  .run = export_run },
	{ .name = "status",
	  .takes = TAKES_TARGET | TAKES(JSON) | TAKES(READY),
	  .arguments = "[-f policy.yaml | --socket PATH] [--json | --ready]",
	  .summary = "Show the policy, workers and sessions of a running attlsd, or only if it is ready.",
	  .run = run_status },
	{ .name = "sessions",
	  .takes = TAKES_TARGET | TAKES_FILTER | TAKES(JSON) | TAKES(WATCH),
	  .may_have_operand = true,
	  .arguments = "[-f policy.yaml | --socket PATH] [--json] [--watch [SECONDS]] [SESSION |\n"
		       "                        " FILTER_ARGUMENTS "]",
	  .summary = "List the sessions: clients, users and transfers; or all of one.",
	  .check = check_sessions,
	  .run = run_sessions },
	{ .name = "events",
	  .takes = TAKES_TARGET | TAKES(JSON),
	  .arguments = "[-f policy.yaml | --socket PATH] [--json]",
	  .summary = "Show the last warnings and errors, and what to do about them.",
	  .run = run_events },
	{ .name = "metrics",
	  .takes = TAKES_TARGET | TAKES(OPENMETRICS),
	  .arguments = "[-f policy.yaml | --socket PATH] [--openmetrics]",
	  .summary = "Print what a running attlsd has counted, for Prometheus.",
	  .run = run_metrics },
	{ .name = "top",
	  .takes = TAKES_TARGET | TAKES_FILTER,
	  .arguments = "[-f policy.yaml | --socket PATH] " FILTER_ARGUMENTS,
	  .summary = "Show the sessions live; end one, or look at all of it.",
	  .check = check_filter,
	  .run = run_top },
	{ .name = "report",
	  .takes = TAKES_TARGET | TAKES(SINCE) | TAKES(JSON),
	  .needs = "say which report: clients or shut-out",
	  .arguments = "[-f policy.yaml | --socket PATH] [--since TIME] [--json] clients | shut-out",
	  .summary = "Show what clients do, and which of them a stricter policy would shut out.",
	  .check = report_command_check,
	  .run = report_command },
	{ .name = "trace",
	  .takes = TAKES_TARGET | TAKES_WHO | TAKES(JSON) | TAKES(DATA) | TAKES(LAST),
	  .may_have_operand = true,
	  .arguments = "[-f policy.yaml | --socket PATH] [--json] [--data | --last N] [SESSION |\n"
		       "                        " WHO_ARGUMENTS "]",
	  .summary = "Show what clients, servers and attlsd say and decide, as it happens or as it was.",
	  .check = check_trace,
	  .run = run_trace },
	{ .name = "end",
	  .takes = TAKES_TARGET | TAKES_FILTER,
	  .may_have_operand = true,
	  .arguments = "[-f policy.yaml | --socket PATH] SESSION | " FILTER_ARGUMENTS,
	  .summary = "End this session, or all that the options choose, now; transfers are cut off.",
	  .check = check_end,
	  .run = run_end },
	{ .name = "reload",
	  .takes = TAKES_TARGET | TAKES(NO_UPGRADE),
	  .arguments = "[-f policy.yaml | --socket PATH] [--no-upgrade]",
	  .summary =
	      "Make attlsd read its policy again, with its new program if there is one, and wait for the result.",
	  .run = run_reload },
	{ .name = "upgrade",
	  .takes = TAKES_TARGET,
	  .arguments = "[-f policy.yaml | --socket PATH]",
	  .summary = "Start the program on the disk, and let it take over without a refused connection.",
	  .run = run_upgrade,
	  .finds_target = true },
	{ .name = "drain",
	  .takes = TAKES_TARGET | TAKES(RESTART) | TAKES(DEADLINE),
	  .arguments = "[-f policy.yaml | --socket PATH] [--restart] [--deadline TIME]",
	  .summary = "Make attlsd exit after the transfers under way, as SIGTERM does.",
	  .check = drain_command_check,
	  .run = drain_command },
	{ .name = "maintenance",
	  .takes = TAKES_TARGET | TAKES(REFUSE) | TAKES(END_AFTER),
	  .needs = "say what to do: maintenance on or maintenance off",
	  .arguments = "[-f policy.yaml | --socket PATH] [--refuse] [--end-after TIME] on | off",
	  .summary = "Tell load balancers to send no new sessions here, or to send them again.",
	  .check = maintenance_command_check,
	  .run = maintenance_command },
	{ .name = "backend",
	  .takes = TAKES_TARGET | TAKES(JSON),
	  .may_have_operand = true,
	  .may_have_more = true,
	  .arguments =
	      "[-f policy.yaml | --socket PATH] [--json] [NAME [list | disable ADDRESS | enable ADDRESS]]",
	  .summary = "Show the servers of backends with several, or give one no new sessions.",
	  .check = backend_command_check,
	  .run = backend_command },
	{ .name = "audit",
	  .takes = TAKES_TARGET | TAKES(JSON),
	  .needs = "say what to do with the audit trail: verify FILE... or reopen",
	  .may_have_more = true,
	  .finds_target = true,
	  .arguments = "verify [--json] FILE... | reopen [-f policy.yaml | --socket PATH]",
	  .summary = "Find gaps in an audit trail, or make attlsd open its files anew.",
	  .check = audit_command_check,
	  .run = audit_command },
	{ .name = "version", .arguments = "", .summary = "The version.", .run = run_version },
	{ .name = "help", .arguments = "", .summary = "This text.", .run = run_help },
	{ 0 },
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

static void print_usage(const struct command *command, bool first, FILE *out)
{
	(void)fprintf(out, "%s attlsctl %s%s%s\n           %s\n", first ? "usage:" : "      ", command->name,
		      command->arguments[0] != '\0' ? " " : "", command->arguments, command->summary);
}

void command_print(const struct command *command, FILE *out)
{
	print_usage(command, true, out);
}

void commands_print(FILE *out)
{
	for (const struct command *command = commands; command->name != NULL; command++)
		print_usage(command, command == commands, out);
	(void)fprintf(
	    out,
	    "The policy is %s unless -f names another.\n"
	    "Exit status: 0; 1 for faults, problems, when no rule matches, --diff finds changes, or when "
	    "attlsd cannot be reached or refuses; 2 for wrong usage.\n",
	    COMMAND_DEFAULT_POLICY);
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < NELEM(aliases); i++)
		if (strcmp(name, aliases[i].name) == 0)
			name = aliases[i].means;
	for (const struct command *command = commands; command->name != NULL; command++)
		if (strcmp(name, command->name) == 0)
			return command;
	return NULL;
}

int command_unknown(const char *name)
{
	const char *names[NELEM(commands)] = { NULL };
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
