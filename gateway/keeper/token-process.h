/*
 * The process that has the module of a PKCS #11 token, one for each signer. The module is code of others,
 * which needs files and sockets, so this process is not confined as a signer is; it gets only requests that
 * its signer has judged, and judges them again.
 */
#ifndef ATTLSD_GATEWAY_KEEPER_TOKEN_PROCESS_H
#define ATTLSD_GATEWAY_KEEPER_TOKEN_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "gateway/keeper/keeper-setup.h"

/*
 * Fork it, before this process has read any private key, and close `others` in it. It becomes the keys'
 * user, and a member of that user's groups. Returns 0 and its pid and socket, or a negative errno. It
 * announces itself as a signer does when it has its keys, or ends after saying why in the log.
 */
int token_process_start(const struct keeper_setup *setup, const int *others, size_t nothers, int *ret_fd,
			pid_t *ret_pid);

/* Wait until it has announced itself. Returns 0 or -EIO. */
int token_process_wait(int fd);

#endif
