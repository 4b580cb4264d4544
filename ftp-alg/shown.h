/* How much of a command may be shown to people. */
#ifndef ATTLSD_FTP_ALG_SHOWN_H
#define ATTLSD_FTP_ALG_SHOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "ftp-alg/verb.h"

/*
 * How many first bytes of the line hold no secret: all of it, or the part before a
 * password. Of an unknown verb, none do: the word may be a password itself.
 */
size_t ftp_command_shown(const struct ftp_command *command);

/* The same of its argument. */
size_t ftp_argument_shown(const struct ftp_command *command);

/* May it hold a secret? */
bool ftp_command_has_secret(const struct ftp_command *command);

#endif
