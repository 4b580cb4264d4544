/*
 * What the server sends although nothing asked for it: text between two replies
 * or before the greeting, and replies to no command.
 */
#ifndef ATTLSD_FTP_ALG_STRAY_H
#define ATTLSD_FTP_ALG_STRAY_H

#include "ftp-alg/out.h"
#include "ftp-alg/reply.h"
#include "ftp-alg/state.h"

/* A line without a reply code where a reply may begin: it is skipped, or it ends the session. */
void machine_stray_line(struct ftp_machine *machine, const struct ftp_reply *line, struct ftp_out *out);

/* The first line of a reply that answers no command: likewise. machine->stray: its other lines are to be
 * skipped. */
void machine_stray_reply(struct ftp_machine *machine, const struct ftp_reply *reply, struct ftp_out *out);

#endif
