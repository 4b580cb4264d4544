/*
 * attlsctl's command line: which options and operand a command takes, and what was
 * given. Values stay texts here; each command parses its own.
 */
#ifndef ATTLSD_GATEWAY_CTL_COMMAND_LINE_H
#define ATTLSD_GATEWAY_CTL_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/view/client-target.h"

enum command_option {
#define OPTION(id, name, has_value) OPTION_##id,
#include "gateway/ctl/options.def"
#undef OPTION
	OPTION_COUNT
};

#define COMMAND_DEFAULT_POLICY "/etc/attlsd/policy.yaml"

/* Longer than a socket's path may be, so that messages show an overlong path whole. */
#define COMMAND_SOCKET_MAX 256

/* Options that a command takes more than once, together. */
#define COMMAND_REPEATED_MAX 64

struct command_line {
	const char *policy;		   /* its path: -f, or the default */
	const char *options[OPTION_COUNT]; /* the last value of each, "" if it takes none; NULL: not given */
	struct {
		enum command_option option;
		const char *value;
	} repeated[COMMAND_REPEATED_MAX]; /* all values of those in struct command's repeats, in their order
					   */
	size_t nrepeated;
	const char *operand; /* what follows the options; NULL: nothing */
	char *const *rest;   /* and what follows that, if the command may have more */
	size_t nrest;
	struct target target;		 /* for commands that take --socket */
	char socket[COMMAND_SOCKET_MAX]; /* where the policy says that it is */
};

/* A bit for struct command's takes. */
#define TAKES(id) (UINT64_C(1) << OPTION_##id)
/* The options of every command that asks a running attlsd. */
#define TAKES_TARGET (TAKES(FILE) | TAKES(SOCKET))

struct command {
	const char *name;
	uint64_t takes;
	uint64_t repeats;  /* those of them that may be given several times */
	const char *needs; /* the message if the operand is missing; NULL: it may be, or there is none */
	const char *arguments;
	const char *summary;
	int (*check)(
	    const struct command_line *line);	     /* the values, before attlsd is looked for; NULL: none */
	int (*run)(const struct command_line *line); /* both return 0 or an exit status */
	bool may_have_operand, may_have_more;
	bool finds_target; /* itself, if it needs one */
};

/*
 * Parse what follows the name of the command, which is argv[0], and find the attlsd to ask.
 * Returns 0, or an exit status after printing what is wrong. With OPTION_HELP, nothing else was looked at.
 */
int command_line_parse(const struct command *command, int argc, char **argv, struct command_line *ret);

/*
 * Find the attlsd to ask: the one at the socket that an option names, or the one
 * that serves the policy, even if the policy has faults now. Returns 0, or an exit status
 * after printing why there is none.
 */
int command_line_find_target(struct command_line *line);

#endif
