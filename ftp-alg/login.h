/*
 * Logging in: SECURE_LOGIN and SECURE_PASSWORD, failed attempts.
 */
#ifndef ATTLSD_FTP_ALG_LOGIN_H
#define ATTLSD_FTP_ALG_LOGIN_H

#include <stdint.h>

#include "ftp-alg/out.h"
#include "ftp-alg/state.h"
#include "ftp-alg/verb.h"

void machine_login_user(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out);

/*
 * The gateway has refused a USER without asking the server. The next PASS is for that user, so it must not
 * complete an earlier user's login. A client that is logged in stays logged in.
 */
void machine_login_user_refused(struct ftp_machine *machine);

/* Must this command wait for its turn, since it tries a login? */
bool machine_login_waits(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out);

/* Has FTCHKPWD refused the login that this command would complete? Then it is answered. */
bool machine_login_is_denied(struct ftp_machine *machine, const struct ftp_command *command,
			     struct ftp_out *out);

/*
 * The first line of a reply to USER, PASS or ACCT: does the client see this reply, and must it wait
 * until somebody has been asked about the user?
 */
enum ftp_take machine_login_gate(struct ftp_machine *machine, uint16_t code, struct ftp_out *out);

/*
 * After the last line of a reply to USER or PASS. True: FTCHKPWD refuses a user that the server has
 * let in, so that it must get a new connection.
 */
bool machine_login_reply(struct ftp_machine *machine, enum ftp_pending pending, uint16_t code,
			 struct ftp_out *out);

/*
 * May the server's greeting (230) log the client in now? Not if policy requires TLS
 * first, or a client certificate, which is checked only with USER.
 */
bool machine_login_may_be_greeted(const struct ftp_machine *machine);

/* Before a command that needs a login: a greeting of 230 counts as one, if policy allows it. */
void machine_login_take_greeted(struct ftp_machine *machine, struct ftp_out *out);

#endif
