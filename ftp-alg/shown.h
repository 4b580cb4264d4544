/* How much of a command may be shown to people. */
#ifndef ATTLSD_FTP_ALG_SHOWN_H
#define ATTLSD_FTP_ALG_SHOWN_H

#include <stddef.h>

#include "ftp-alg/verb.h"

/*
 * The first bytes of the line that hold no secret: all of it, or the part before a
 * password. The argument of an unknown verb may be one, since the verb may be a typing
 * error.
 */
size_t ftp_command_shown(const struct ftp_command *command);

#endif
