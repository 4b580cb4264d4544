/*
 * What confines the processes that hold the private keys: the keeper, and the
 * signers that it forks.
 */
#ifndef ATTLSD_GATEWAY_HOST_SANDBOX_KEY_H
#define ATTLSD_GATEWAY_HOST_SANDBOX_KEY_H

/*
 * The keeper, once it has read its files: sandbox_confine(), and a filter that leaves what
 * forking signers needs. Returns 0 or a negative errno, *ret_what is the step that failed.
 */
int sandbox_keeper(int root, unsigned uid, unsigned gid, const char **ret_what);

/*
 * The process with the module of a token, which needs the files and the system calls of its module: it
 * becomes uid and gid (`root` is -1: not started as root, skip this) with the groups of that user, without
 * privileges for good, and nothing else. Returns likewise.
 */
int sandbox_token(int root, unsigned uid, unsigned gid, const char **ret_what);

/*
 * A signer, forked from the keeper: a second filter, which leaves reading, writing,
 * exiting, and what memory, randomness and the log need. Returns 0 or a negative errno.
 */
int sandbox_signer(void);

#endif
