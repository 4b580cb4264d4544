/* attlsctl's command backend: the servers of backends, and orders about them. */
#ifndef ATTLSD_GATEWAY_CTL_BACKEND_COMMAND_H
#define ATTLSD_GATEWAY_CTL_BACKEND_COMMAND_H

#include "gateway/ctl/command-line.h"

int backend_command_check(const struct command_line *line);
int backend_command(const struct command_line *line);

#endif
