/*
 * Commands that passed the gates of machine.c, by their kind.
 */
#ifndef ATTLSD_FTP_ALG_COMMAND_H
#define ATTLSD_FTP_ALG_COMMAND_H

#include "ftp-alg/out.h"
#include "ftp-alg/state.h"
#include "ftp-alg/verb.h"

/* MACHINE_ANSWERED, or MACHINE_WAITS: the server is asked something else first. */
enum machine_step machine_run(struct ftp_machine *machine, const struct ftp_command *command,
			      struct ftp_out *out);

#endif
