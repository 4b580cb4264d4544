/*
 * `access`: who may use which path at the server. The machine follows the server's working
 * directory, and refuses a command before the server gets it.
 */
#ifndef ATTLSD_FTP_ALG_ACCESS_H
#define ATTLSD_FTP_ALG_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ftp-alg/access-judge.h"
#include "ftp-alg/out.h"
#include "ftp-alg/reply.h"
#include "ftp-alg/state.h"
#include "ftp-alg/verb.h"

/*
 * May this command go on? MACHINE_RUNS: yes. MACHINE_ANSWERED: it was refused. MACHINE_WAITS:
 * the server is asked for its working directory first, or a transfer has to end.
 */
enum machine_step machine_access(struct ftp_machine *machine, const struct ftp_command *command,
				 struct ftp_out *out);

/* The command has gone to the server. */
void machine_access_sent(struct ftp_machine *machine, const struct ftp_command *command);

/* A line of the reply to the command that is pending. */
void machine_access_line(struct ftp_machine *machine, const struct ftp_reply *reply);

/* This reply was the last one to `pending`. */
void machine_access_ends(struct ftp_machine *machine, enum ftp_pending pending, uint16_t code);

/* USER with this name. */
void machine_access_user(struct ftp_machine *machine, const char *name, size_t len);

/* The server has let that user in. */
void machine_access_logged_in(struct ftp_machine *machine);

/* There is a new connection to the server. */
void machine_access_renew(struct ftp_machine *machine);

#endif
