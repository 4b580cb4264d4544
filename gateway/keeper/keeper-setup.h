/* What the keepers of both kinds of keys start from. */
#ifndef ATTLSD_GATEWAY_KEEPER_KEEPER_SETUP_H
#define ATTLSD_GATEWAY_KEEPER_KEEPER_SETUP_H

#include <stddef.h>

#include "gateway/key/counts.h"
#include "policy/policy.h"

struct keeper_setup {
	const struct policy *policy;
	const int *fds;	   /* the signers' ends, one for each worker */
	const int *gssapi; /* the acceptors' ends, likewise; NULL: policy has no keytab */
	size_t n;
	struct key_counts *counts; /* likewise */
	int root;		   /* the folder to be chrooted into, or -1: started without root */
	unsigned uid, gid;	   /* to become if root is given */
	unsigned worker_uid;	   /* the second choice, in a user namespace that lacks uid */
	unsigned worker_gid;
};

#endif
