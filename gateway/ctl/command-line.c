/*
 * Parses attlsctl's command line by the table of options, and finds the attlsd that a
 * command is for.
 */
#include "gateway/ctl/command-line.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/ctl/usage.h"
#include "gateway/host/policy-file.h"

/* What getopt_long() returns for an option, out of the way of characters. */
#define GETOPT_FIRST 256

static const struct option option_table[] = {
#define OPTION(id, name, has_value) { name, has_value, NULL, GETOPT_FIRST + OPTION_##id },
#include "gateway/ctl/options.def"
#undef OPTION
	{ NULL, 0, NULL, 0 },
};

/* Many other programs take the file that they check as an argument. */
static int unexpected(const struct command *command, const char *argument)
{
	const char *end = strrchr(argument, '.');
	bool policy = end != NULL && strcmp(end, ".yaml") == 0 && (command->takes & TAKES(FILE)) != 0;

	(void)fprintf(stderr, "attlsctl: unexpected argument %s%s\n", argument,
		      policy ? "; -f names the policy" : "");
	return EXIT_USAGE;
}

static int unfit_option(const struct command *command, int which)
{
	/* -f names the policy of all other commands */
	const char *hint = which == OPTION_FILE && (command->takes & TAKES(OUTPUT)) != 0
			       ? "; -o names the policy that it writes"
			       : "";

	(void)fprintf(stderr, "attlsctl: %s takes no option --%s%s\nusage: attlsctl %s %s\n", command->name,
		      option_table[which].name, hint, command->name, command->arguments);
	return EXIT_USAGE;
}

/* Keep one more value of an option that may be repeated. Returns 0 or an exit status. */
static int take_again(struct command_line *line, int which, const char *value)
{
	if (line->nrepeated == COMMAND_REPEATED_MAX)
		return usage_fault("too many values of --", option_table[which].name);
	line->repeated[line->nrepeated].option = (enum command_option)which;
	line->repeated[line->nrepeated++].value = value;
	return 0;
}

/* A number after an option whose value may be missing is the value: "--watch 5" as well as "--watch=5". */
static const char *value_after(char **argv)
{
	const char *next = argv[optind];

	if (next == NULL || next[0] < '0' || next[0] > '9')
		return "";
	optind++;
	return next;
}

static int take_options(const struct command *command, int argc, char **argv, struct command_line *line)
{
	int which;

	while ((which = getopt_long(argc, argv, "f:N:o:h", option_table, NULL)) != -1) {
		if (which == '?') /* getopt_long() has printed what is wrong */
			return EXIT_USAGE;
		which = which == 'f'   ? (int)OPTION_FILE
			: which == 'N' ? (int)OPTION_NODE
			: which == 'o' ? (int)OPTION_OUTPUT
			: which == 'h' ? (int)OPTION_HELP
				       : which - GETOPT_FIRST;
		if (which == OPTION_HELP) { /* even if the rest of the line is wrong */
			line->options[OPTION_HELP] = "";
			return 0;
		}
		if ((command->takes & (UINT64_C(1) << which)) == 0)
			return unfit_option(command, which);
		line->options[which] = optarg;
		if (optarg == NULL)
			line->options[which] =
			    option_table[which].has_arg == optional_argument ? value_after(argv) : "";
		if ((command->repeats & (UINT64_C(1) << which)) != 0 && take_again(line, which, optarg) != 0)
			return EXIT_USAGE;
	}
	return 0;
}

int command_line_find_target(struct command_line *line)
{
	int r;

	line->target.socket = line->options[OPTION_SOCKET];
	if (line->target.socket != NULL)
		return 0;
	r = policy_file_peek_control_socket(line->policy, line->socket, sizeof(line->socket));
	if (r == 0 && line->socket[0] == '\0') {
		(void)fprintf(
		    stderr,
		    "attlsctl: %s: has control_socket: none, so attlsctl cannot reach attlsd; use signals: "
		    "SIGHUP reloads, SIGTERM drains\n",
		    line->policy);
		return EXIT_FAILURE;
	}
	if (r < 0) {
		(void)fprintf(
		    stderr,
		    "attlsctl: %s: %s; name the policy that attlsd serves with -f, or its control_socket "
		    "with --socket (mostly /run/attlsd/control.sock)\n",
		    line->policy, r == -EINVAL ? "this is not YAML" : strerror(-r));
		return EXIT_FAILURE;
	}
	line->target = (struct target){ .socket = line->socket, .policy = line->policy };
	return 0;
}

int command_line_parse(const struct command *command, int argc, char **argv, struct command_line *ret)
{
	int status;

	*ret = (struct command_line){ .policy = COMMAND_DEFAULT_POLICY };
	status = take_options(command, argc, argv, ret);
	if (status != 0 || ret->options[OPTION_HELP] != NULL)
		return status;
	if (command->needs != NULL || command->may_have_operand) {
		ret->operand = argv[optind];
		if (ret->operand != NULL)
			optind++;
		else if (command->needs != NULL)
			return usage_fault(command->needs, "");
	}
	if (command->may_have_more) {
		ret->rest = argv + optind;
		ret->nrest = (size_t)(argc - optind);
		optind = argc;
	}
	if (optind < argc)
		return unexpected(command, argv[optind]);
	if (ret->options[OPTION_FILE] != NULL)
		ret->policy = ret->options[OPTION_FILE];
	status = command->check != NULL ? command->check(ret) : 0;
	return status == 0 && (command->takes & TAKES(SOCKET)) != 0 && !command->finds_target
		   ? command_line_find_target(ret)
		   : status;
}
