/* `attlsctl init`. */
#ifndef ATTLSD_GATEWAY_CTL_INIT_H
#define ATTLSD_GATEWAY_CTL_INIT_H

#include "gateway/ctl/command-line.h"

/* As in struct command: both return 0 or an exit status. */
int init_command_check(const struct command_line *line);
int init_command_run(const struct command_line *line);

#endif
