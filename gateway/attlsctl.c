/* attlsctl: finds the command of the command line and runs it. commands.c has the table. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/ctl/commands.h"
#include "gateway/ctl/usage.h"

/* What a command prints is its result: if it is lost, for example on a full disk, the command has failed. */
static int finish(int status)
{
	errno = 0; /* an earlier write may have failed, and its reason is gone */
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	(void)fprintf(stderr, "attlsctl: the output could not be written%s%s\n", errno != 0 ? ": " : "",
		      errno != 0 ? strerror(errno) : "");
	return status != EXIT_SUCCESS ? status : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct command_line line;
	const struct command *command;
	int status;

	if (argc < 2) {
		commands_print(stderr);
		return EXIT_USAGE;
	}
	command = command_find(argv[1]);
	if (command == NULL)
		return command_unknown(argv[1]);
	argv[1] = argv[0]; /* the name in the messages of getopt() */
	status = command_line_parse(command, argc - 1, argv + 1, &line);
	if (status == 0 && line.options[OPTION_HELP] != NULL) {
		command_print(command, stdout);
		return finish(EXIT_SUCCESS);
	}
	return status != 0 ? status : finish(command->run(&line));
}
