/*
 * Giving up privileges: what confines a worker.
 */
#ifndef ATTLSD_GATEWAY_HOST_SANDBOX_H
#define ATTLSD_GATEWAY_HOST_SANDBOX_H

#include <stdbool.h>

struct sandbox_worker {
	int root; /* an open, empty folder; -1: not started as root, skip what only root can do */
	unsigned uid, gid;
	bool ktls;  /* allow the calls for TLS in the kernel */
	bool dials; /* allow connect() */
};

/*
 * A worker: chroot into the folder, become uid and gid for good, no core dumps, no
 * new privileges, and a system call filter. All files must be open by now. Returns 0
 * or a negative errno, *ret_what is the step that failed.
 */
int sandbox_worker(const struct sandbox_worker *setup, const char **ret_what);

/*
 * What all confined processes have in common, and a worker does, too: chroot into the open, empty
 * folder `root` and become uid and gid for good (-1: not started as root, skip both), memory
 * that others cannot read, no new privileges. Returns 0 or a negative errno, *ret_what is
 * the step that failed.
 */
int sandbox_confine(int root, unsigned uid, unsigned gid, const char **ret_what);

/*
 * Become uid and gid for good, with the groups of the user of this name (NULL: with no others). Returns
 * likewise.
 */
int sandbox_become(const char *groups_of, unsigned uid, unsigned gid, const char **ret_what);

/* An empty folder that nothing can be put into; needs no writable file system. Returns its descriptor or a
 * negative errno. */
int sandbox_empty_root(void);

#endif
