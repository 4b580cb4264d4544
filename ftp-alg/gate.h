/*
 * Which commands may go on.
 */
#ifndef ATTLSD_FTP_ALG_GATE_H
#define ATTLSD_FTP_ALG_GATE_H

#include <stdbool.h>

#include "ftp-alg/local-reply.h"
#include "ftp-alg/state.h"
#include "ftp-alg/verb.h"
#include "policy/ftp-action.h"

/* FTP_LOCAL_NONE, or the refusal that the client gets. It depends on the current state: ask when the
 * command runs. */
enum ftp_local machine_gate(const struct ftp_machine *machine, const struct ftp_command *command);

/*
 * Does a verb that the gateway does not know contain the name of a command that it handles
 * or that policy refuses? Some servers read only the last or the first letters of a verb.
 */
bool machine_gate_hides_command(const struct ftp_action *action, const struct ftp_command *command);

#endif
