/*
 * A worker: one process, one thread, its share of the sessions.
 */
#ifndef ATTLSD_GATEWAY_WORKER_WORKER_H
#define ATTLSD_GATEWAY_WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

struct worker_setup {
	const struct policy *policy; /* outlives the worker */
	int channel;		     /* to the monitor; the worker's */
	int doorbell;		     /* the same */
	_Atomic uint32_t *relays;
	bool first;	   /* of its generation */
	int root;	   /* the folder to be chrooted into, or -1: started without root */
	unsigned uid, gid; /* to become, when root is given */
};

/* The worker's life; returns its exit status. Runs in a process of its own. */
int worker_run(const struct worker_setup *setup);

#endif
