/* attlsctl's commands import and export. */
#ifndef ATTLSD_GATEWAY_CTL_IMPORT_COMMANDS_H
#define ATTLSD_GATEWAY_CTL_IMPORT_COMMANDS_H

#include "gateway/ctl/command-line.h"

/* As in struct command: all return 0 or an exit status. */
int import_check(const struct command_line *line);
int import_run(const struct command_line *line);
int export_check(const struct command_line *line);
int export_run(const struct command_line *line);

#endif
