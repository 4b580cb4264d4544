/*
 * The local socket of `login_check`: only root, attlsd's own user, or the owner of its folder
 * may answer there.
 */
#ifndef ATTLSD_GATEWAY_HOST_LOGIN_SOCKET_H
#define ATTLSD_GATEWAY_HOST_LOGIN_SOCKET_H

#include <sys/types.h>

#include "policy/policy.h"

/*
 * Connect without waiting. Returns the descriptor; -EAGAIN: as many wait there as may wait; or
 * another negative errno, and *ret_why names it in one word for the log: static.
 */
int login_socket_connect(const char *path, const char **ret_why);

/*
 * Could another user put a socket of his own there? NULL, or what is wrong, with the fix:
 * "the folder /run/x can be written by other users; chmod go-w". In buf.
 */
#define LOGIN_SOCKET_WHY_MAX 512
const char *login_socket_exposed(const char *path, uid_t *ret_owner, char buf[static LOGIN_SOCKET_WHY_MAX]);

/* What keeps anybody from logging in by this socket, with the fix; in buf or static. NULL: nothing. */
const char *login_socket_fault(const char *path, char buf[static LOGIN_SOCKET_WHY_MAX]);

/* Warn about each login_check of the policy that nobody could answer now. */
void login_socket_check(const struct policy *policy, struct diags *diags);

#endif
