/*
 * Stray lines: lines from the server that answer no command. They are text before
 * the greeting or between two replies, and replies without a command.
 */
#ifndef ATTLSD_FTP_ALG_STRAY_H
#define ATTLSD_FTP_ALG_STRAY_H

#include "ftp-alg/out.h"
#include "ftp-alg/reply.h"
#include "ftp-alg/state.h"

/* A line without a reply code where a reply may begin: drop it or end the session. */
void machine_stray_line(struct ftp_machine *machine, const struct ftp_reply *line, struct ftp_out *out);

/* The first line of a reply without a command: likewise. Sets machine->stray to drop the other lines, too. */
void machine_stray_reply(struct ftp_machine *machine, const struct ftp_reply *reply, struct ftp_out *out);

#endif
