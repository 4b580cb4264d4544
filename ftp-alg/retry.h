/*
 * DSWAITTIME: a transfer that the server refuses because the file is in use is
 * asked for again later.
 */
#ifndef ATTLSD_FTP_ALG_RETRY_H
#define ATTLSD_FTP_ALG_RETRY_H

#include <stdbool.h>

#include "ftp-alg/out.h"
#include "ftp-alg/reply.h"
#include "ftp-alg/state.h"

/* Does this refusal of the transfer lead to another attempt? */
bool machine_retry_wanted(struct ftp_machine *machine, const struct ftp_reply *reply);

/* Tell the client, and wait. */
void machine_retry_later(struct ftp_machine *machine, const struct ftp_reply *reply, struct ftp_out *out);

/* The plan stands again: send the transfer's command. */
/* A pause is over. True: the next attempt is not due yet, so the client was told that the wait goes on. */
bool machine_retry_waits(struct ftp_machine *machine, struct ftp_out *out);

void machine_retry_now(struct ftp_machine *machine, struct ftp_out *out);

/* ABOR while waiting. */
void machine_retry_abort(struct ftp_machine *machine, struct ftp_out *out);

#endif
