/* Starts the process of a worker. children.c decides when. */
#ifndef ATTLSD_GATEWAY_MONITOR_CHILD_START_H
#define ATTLSD_GATEWAY_MONITOR_CHILD_START_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/ticket-seeds.h"
#include "gateway/monitor/totals.h"
#include "policy/policy.h"

struct child_start {
	const struct policy *policy;
	_Atomic uint32_t *relays;      /* of shared_map(); this worker gets it */
	const struct counted *counted; /* likewise */
	struct ticket_seeds *tickets;  /* the worker gets them in its fork */
	struct ticket_sets *sets;      /* likewise; NULL: none */
	const uint8_t *user_key;       /* TLS_USER_KEY_BYTES */
	uint64_t generation;
	bool first; /* the first worker of its generation */
	bool root;  /* started as root: give the worker an empty root and another user */
	int key;    /* to its signer, or -1: it loads the private keys itself; stays the caller's */
	int gssapi; /* the same to its acceptor, and the keytab */
	unsigned uid, gid;
};

/* The monitor's ends. */
struct child_ends {
	int channel;  /* orders to the worker */
	int reports;  /* from it */
	int doorbell; /* never read it: the worker shares the open file, so it could make a read block */
};

/* Returns the process id, or a negative errno. */
int child_start(const struct child_start *start, struct child_ends *ret, const char **ret_step);

/* How many workers the policy wants. */
size_t child_start_wanted(const struct policy *policy);

#endif
