/*
 * The connection to the server: dialled anew when the server must forget a user,
 * or dialled only when the first command needs it (greet_first).
 */
#ifndef ATTLSD_FTP_ALG_SERVER_LINK_H
#define ATTLSD_FTP_ALG_SERVER_LINK_H

#include "ftp-alg/out.h"
#include "ftp-alg/state.h"
#include "ftp-alg/verb.h"

/* With greet_first: the client's greeting. */
void machine_link_greet(struct ftp_machine *machine, struct ftp_out *out);

enum machine_late { MACHINE_LATE_NO = 0, MACHINE_LATE_DONE, MACHINE_LATE_DIAL };

/*
 * What becomes of a command that passed the gates: run it (NO); nothing, it was
 * answered (DONE); hold it until the server is there, which is being dialled (DIAL).
 */
enum machine_late machine_late_command(struct ftp_machine *machine, const struct ftp_command *command,
				       struct ftp_out *out);

/* Replace the connection; pending: what its greeting answers. */
void machine_renew(struct ftp_machine *machine, enum ftp_pending pending, struct ftp_out *out);

/* The client's REIN is answered: explicit TLS ends after the answer. */
void machine_rein_ends(struct ftp_machine *machine, struct ftp_out *out);

#endif
