/*
 * Levels that are stricter for some users (per_user).
 */
#ifndef ATTLSD_FTP_ALG_PER_USER_H
#define ATTLSD_FTP_ALG_PER_USER_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/ftp-action.h"

/* What policy says for the user of this name: the action itself, or that of an entry of its per_user. */
const struct ftp_action *ftp_per_user_find(const struct ftp_action *action, const char *name, size_t len);

/* Can policy tell whose name this is? Not if a server may read it as that of another user. */
bool ftp_per_user_takes(const struct ftp_action *action, const char *name, size_t len);

#endif
