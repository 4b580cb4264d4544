/*
 * The keeper: one process for each generation. It loads the private keys, gives up
 * its privileges, and forks a signer for each worker; when a signer dies, it forks
 * another, which has the same keys and the same socket.
 */
#ifndef ATTLSD_GATEWAY_KEEPER_KEEPER_H
#define ATTLSD_GATEWAY_KEEPER_KEEPER_H

#include <stddef.h>

#include "gateway/key/counts.h"
#include "policy/policy.h"

struct keeper_setup {
	const struct policy *policy;
	const int *fds; /* the signers' ends, one for each worker */
	size_t n;
	struct key_counts *counts; /* likewise */
	int root;		   /* the folder to be chrooted into, or -1: started without root */
	unsigned uid, gid;	   /* to become if root is given */
	unsigned worker_uid;	   /* the second choice, in a user namespace that lacks uid */
	unsigned worker_gid;
};

/* Returns the exit status: success when all sockets are closed at their other ends. */
int keeper_run(const struct keeper_setup *setup);

#endif
