/* attlsctl's command audit: verify files of the audit trail, or have attlsd open them anew. */
#ifndef ATTLSD_GATEWAY_CTL_AUDIT_COMMAND_H
#define ATTLSD_GATEWAY_CTL_AUDIT_COMMAND_H

#include "gateway/ctl/command-line.h"

/* Both return 0 or an exit status. */
int audit_command_check(const struct command_line *line);
int audit_command(const struct command_line *line);

#endif
