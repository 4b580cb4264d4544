/* attlsctl report: what a running attlsd has counted, by topic. */
#ifndef ATTLSD_GATEWAY_CTL_REPORT_COMMAND_H
#define ATTLSD_GATEWAY_CTL_REPORT_COMMAND_H

#include "gateway/ctl/command-line.h"

/* Is there such a topic, and is --since a time? Returns 0 or the exit status, after printing why not. */
int report_command_check(const struct command_line *line);

/* Returns the exit status. */
int report_command(const struct command_line *line);

#endif
