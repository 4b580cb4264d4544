/*
 * TLS toward the server, where policy wants it (struct server_security): AUTH or
 * implicit, the protection of data connections, and CCC. The client sees none of it.
 */
#ifndef ATTLSD_FTP_ALG_SERVER_TLS_H
#define ATTLSD_FTP_ALG_SERVER_TLS_H

#include <stdbool.h>

#include "ftp-alg/out.h"
#include "ftp-alg/reply.h"
#include "ftp-alg/state.h"

/* security: as in struct ftp_machine_setup. */
void machine_server_tls_init(struct ftp_machine *machine, const struct server_security *security);

/* The connection is being replaced. */
void machine_server_tls_renew(struct ftp_machine *machine);

/* The server has greeted in the clear (pending: what that answers): begin TLS. */
void machine_server_tls_begin(struct ftp_machine *machine, enum ftp_pending pending, struct ftp_out *out);

/* TLS is up. Returns what the greeting before it answers, or FTP_PENDING_NONE: this was not awaited. */
enum ftp_pending machine_server_tls_up(struct ftp_machine *machine);

/*
 * Bytes that came in the clear after the reply to AUTH may be an attacker's. True: this is
 * such a line, and the session has ended.
 */
bool machine_server_tls_is_injected(struct ftp_machine *machine, struct ftp_out *out);

/* After the last line of a reply to one of the commands that this module sends. */
void machine_server_tls_reply(struct ftp_machine *machine, enum ftp_pending pending,
			      const struct ftp_reply *reply, struct ftp_out *out);

/*
 * Before a command that plans or begins a transfer: is the protection of data
 * connections the one that policy and client want? If not, the server is asked.
 */
enum machine_step machine_server_tls_settle(struct ftp_machine *machine, struct ftp_out *out);

/* Must the next data connection to the server use TLS? */
bool machine_server_tls_protects(const struct ftp_machine *machine);

/* The user is logged in: send CCC, if policy says so. True: the next command has to wait. */
bool machine_server_tls_leave(struct ftp_machine *machine, struct ftp_out *out);

/* What the client hears: this, or at REPLYSECURITYLEVEL 1 only that the server is not available. */
enum ftp_local machine_server_tls_reason(const struct ftp_machine *machine, enum ftp_local reason);

#endif
