/*
 * The monitor's end of a keeper: its process, the workers' ends of the sockets to its
 * signers, and what they have counted. The sockets outlive workers: a worker that is
 * started again gets the same one.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_KEEPER_START_H
#define ATTLSD_GATEWAY_MONITOR_KEEPER_START_H

#include <stdbool.h>
#include <sys/types.h>

#include "gateway/key/counts.h"
#include "policy/policy.h"

/* The ids of a policy's users and its group, looked up by startup.h. */
struct keeper_user {
	unsigned uid, gid;
	unsigned worker_uid, worker_gid; /* the second choice */
	unsigned http_uid, http_gid;	 /* of the HTTP process */
	unsigned control_gid;		 /* of daemon.control_group */
	bool has_control_group;
};

/* All zero: there is none, and workers load their keys themselves. */
struct keeper_link {
	pid_t pid;   /* 0: there is none, or it has died */
	int *fds;    /* one for each worker */
	int *gssapi; /* the same to acceptors; NULL: policy has no keytab */
	struct key_counts *counts;
	size_t n;
};

/*
 * Fork a keeper for a policy with `n` workers; `user` is used if `root`. Returns 0 or
 * a negative errno.
 */
int keeper_start(struct keeper_link *keeper, const struct policy *policy, size_t n,
		 const struct keeper_user *user, bool root);

/* For worker `i`; -1 without a keeper. It stays the keeper's. */
int keeper_fd(const struct keeper_link *keeper, size_t i);

/* The same to its acceptor; -1 without one. */
int keeper_gssapi_fd(const struct keeper_link *keeper, size_t i);

/* What the signer of worker `i` has done; NULL without a keeper. */
const struct key_counts *keeper_counts(const struct keeper_link *keeper, size_t i);

/* Close the sockets: signers and keeper end once no worker has one either. */
void keeper_hang_up(struct keeper_link *keeper);
bool keeper_is_hung_up(const struct keeper_link *keeper);

/* Hang up, wait a moment for the process to end, and free everything. */
void keeper_end(struct keeper_link *keeper);

#endif
