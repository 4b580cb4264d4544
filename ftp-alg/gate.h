/*
 * Which commands may go on.
 */
#ifndef ATTLSD_FTP_ALG_GATE_H
#define ATTLSD_FTP_ALG_GATE_H

#include "ftp-alg/local-reply.h"
#include "ftp-alg/state.h"
#include "ftp-alg/verb.h"

/* FTP_LOCAL_NONE, or the refusal that the client gets. Decides by the state of now, so ask when it runs. */
enum ftp_local machine_gate(const struct ftp_machine *machine, const struct ftp_command *command);

#endif
