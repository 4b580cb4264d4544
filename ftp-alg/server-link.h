/*
 * The connection to the server: dialled anew when the server must forget a user,
 * or dialled only when the first command needs it (lazy_dial).
 */
#ifndef ATTLSD_FTP_ALG_SERVER_LINK_H
#define ATTLSD_FTP_ALG_SERVER_LINK_H

#include "ftp-alg/out.h"
#include "ftp-alg/state.h"
#include "ftp-alg/verb.h"

/* With lazy_dial: the client's greeting. */
void machine_link_greet(struct ftp_machine *machine, struct ftp_out *out);

/* What becomes of a command that passed the gates of machine.c. */
enum machine_link {
	MACHINE_LINK_RUN = 0,  /* run it */
	MACHINE_LINK_ANSWERED, /* nothing more */
	MACHINE_LINK_DIALS,    /* hold it until the server has greeted */
};

enum machine_link machine_link_command(struct ftp_machine *machine, const struct ftp_command *command,
				       struct ftp_out *out);

/* Replace the connection; pending: what its greeting answers. */
void machine_link_renew(struct ftp_machine *machine, enum ftp_pending pending, struct ftp_out *out);

/* The client's REIN is answered: explicit TLS ends after the answer. */
void machine_link_rein_ends(struct ftp_machine *machine, struct ftp_out *out);

#endif
