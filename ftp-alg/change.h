/*
 * Commands that change something at the server other than by a transfer: when the
 * server agrees, they belong in an audit trail (FTPLOGGING).
 */
#ifndef ATTLSD_FTP_ALG_CHANGE_H
#define ATTLSD_FTP_ALG_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "ftp-alg/verb.h"

/* Does this command change something, if it succeeds? RNFR only says what RNTO changes. */
bool ftp_is_change(const struct ftp_command *command);

/* How much of the argument may be logged: SITE has subcommands that carry passwords. */
size_t ftp_change_shown(const struct ftp_command *command);

#endif
