/* ABOR out of band (RFC 959 4.1.3): which servers need Telnet's interrupt signal before it. */
#ifndef ATTLSD_FTP_ALG_URGENT_H
#define ATTLSD_FTP_ALG_URGENT_H

#include <stdbool.h>

#include "ftp-alg/reply.h"
#include "ftp-alg/state.h"

/* A line of a reply: the server's greeting may show what it is. */
void machine_urgent_learn(struct ftp_machine *machine, const struct ftp_reply *reply);

/* Another server comes next. */
void machine_urgent_forget(struct ftp_machine *machine);

/* Does ABOR go to the server after IAC IP, IAC DM with urgent data? */
bool machine_urgent_abor(const struct ftp_machine *machine);

#endif
