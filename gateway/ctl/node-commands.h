/*
 * attlsctl's commands that take a node out of a fleet and put it back. Each returns 0 or an exit
 * status, after printing what went wrong.
 */
#ifndef ATTLSD_GATEWAY_CTL_NODE_COMMANDS_H
#define ATTLSD_GATEWAY_CTL_NODE_COMMANDS_H

#include "gateway/ctl/command-line.h"

int maintenance_command_check(const struct command_line *line);
int maintenance_command(const struct command_line *line);

int drain_command_check(const struct command_line *line);
int drain_command(const struct command_line *line);

/* status --ready: print one word. Exit status 0: new sessions are wanted here. */
int ready_command(const struct command_line *line);

#endif
