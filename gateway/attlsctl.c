/* attlsctl: finds the command of the command line and runs it. commands.c has the table. */
#include <stdio.h>
#include <stdlib.h>

#include "gateway/ctl/commands.h"
#include "gateway/ctl/usage.h"

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
		return EXIT_SUCCESS;
	}
	return status != 0 ? status : command->run(&line);
}
