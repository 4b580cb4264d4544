/*
 * Commands that change something other than by a transfer: when the server agrees, they
 * belong in an audit trail (FTPLOGGING).
 */
#ifndef ATTLSD_FTP_ALG_CHANGE_H
#define ATTLSD_FTP_ALG_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "ftp-alg/verb.h"

enum ftp_change {
	FTP_CHANGE_NONE = 0,
	FTP_CHANGE_SERVER, /* files and folders at the server, or its settings */
	FTP_CHANGE_FOLDER, /* the working directory of the session */
};

/* What does this command change, if it succeeds? RNFR only says what RNTO changes. */
enum ftp_change ftp_change_of(const struct ftp_command *command);

/* How much of the argument may be logged: SITE has subcommands that carry passwords. */
size_t ftp_change_shown(const struct ftp_command *command);

#endif
