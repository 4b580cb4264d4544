/* What the monitor gives a worker that it starts. */
#ifndef ATTLSD_GATEWAY_WORKER_WORKER_SETUP_H
#define ATTLSD_GATEWAY_WORKER_WORKER_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/audit.h"
#include "gateway/base/counters.h"
#include "gateway/base/ticket-seeds.h"
#include "gateway/tls/tlsctx-user.h"
#include "policy/policy.h"

struct worker_setup {
	const struct policy *policy; /* outlives the worker */
	int channel, reports;	     /* from and to the monitor; the worker's */
	int doorbell;		     /* the same */
	int key;		     /* to its signer, or -1: it loads the private keys itself */
	int gssapi;		     /* to its acceptor, or -1: it loads the keytab itself, if there is one */
	_Atomic uint32_t *relays;
	struct counters *counters;    /* shared with the monitor, as `relays` */
	struct ticket_seeds *tickets; /* the worker returns them once it has made its keys */
	struct ticket_sets *sets;     /* likewise */
	const uint8_t
	    *user_key; /* TLS_USER_KEY_BYTES, for tlsctx_user_binding(): all workers have the same */
	struct audit_fds audit;
	uint64_t generation;
	bool first;	   /* the first worker of its generation */
	int root;	   /* the folder to be chrooted into, or -1: started without root */
	unsigned uid, gid; /* the user to become if root is given */
};

#endif
