/*
 * The connection to the server: dialled anew when the server must forget a user,
 * or dialled only when the first command needs it (lazy_dial).
 */
#ifndef ATTLSD_FTP_ALG_SERVER_LINK_H
#define ATTLSD_FTP_ALG_SERVER_LINK_H

#include "ftp-alg/out.h"
#include "ftp-alg/reply.h"
#include "ftp-alg/state.h"
#include "ftp-alg/verb.h"

/* With lazy_dial: the client's greeting. */
void machine_link_greet(struct ftp_machine *machine, struct ftp_out *out);

/*
 * The last line of the server's first reply, of this or of a renewed connection (pending): any
 * but a 2yz refuses the client.
 */
void machine_link_greeted(struct ftp_machine *machine, enum ftp_pending pending,
			  const struct ftp_reply *reply, struct ftp_out *out);

/* FTP_SIGNAL_SERVER_TLS_UP: the greeting before it counts now. */
void machine_link_tls_up(struct ftp_machine *machine, struct ftp_out *out);

/* The server is another one, and nothing that the last one said counts. */
void machine_link_again(struct ftp_machine *machine);

/* Does the gateway answer these commands itself, whether or not the server has been dialled? */
bool machine_link_is_not_needed(enum ftp_verb_kind kind);

/* Does this command need the server, and has the server been dialled? */
enum machine_step machine_link_command(struct ftp_machine *machine, const struct ftp_command *command,
				       struct ftp_out *out);

/* Replace the connection; pending: what its greeting answers. */
void machine_link_renew(struct ftp_machine *machine, enum ftp_pending pending, struct ftp_out *out);

#endif
