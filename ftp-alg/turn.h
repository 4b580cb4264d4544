/* When the next command of the client may run. */
#ifndef ATTLSD_FTP_ALG_TURN_H
#define ATTLSD_FTP_ALG_TURN_H

#include <stdbool.h>

#include "ftp-alg/state.h"

/*
 * May this command run now? Otherwise it is held. If an answer is missing that may never
 * come, this also limits the wait for it.
 */
bool machine_takes_now(struct ftp_machine *machine, const struct ftp_verb *verb, struct ftp_out *out);

#endif
