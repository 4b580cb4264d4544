/* The table of attlsctl's commands. */
#ifndef ATTLSD_GATEWAY_CTL_COMMANDS_H
#define ATTLSD_GATEWAY_CTL_COMMANDS_H

#include <stdio.h>

#include "gateway/ctl/command-line.h"

/* NULL: there is no command of this name. */
const struct command *command_find(const char *name);

/* Print a message for a name that is no command. Returns the exit status. */
int command_unknown(const char *name);

/* The help: all commands with their usage. */
void commands_print(FILE *out);

/* The usage of one. */
void command_print(const struct command *command, FILE *out);

#endif
