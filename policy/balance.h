/*
 * Which server of a backend a session gets. The monitor asks with the state of the
 * servers, attlsctl without one.
 */
#ifndef ATTLSD_POLICY_BALANCE_H
#define ATTLSD_POLICY_BALANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/types.h"

/* The better, the smaller. Only servers of the best class that is there are chosen from. */
enum balance_class {
	BALANCE_GOOD = 0, /* its last session or check succeeded, or it is unknown */
	BALANCE_DOUBTFUL, /* its last one failed */
	BALANCE_BAD,	  /* it is down: better than nothing */
	BALANCE_OUT,	  /* an operator has disabled it, or this session has tried it: never chosen */
};

/* One server, as the choice sees it. */
struct balance_server {
	const char *text; /* its address, as policy writes it */
	enum balance_class class;
	size_t sessions;    /* that it has now */
	uint64_t chosen_at; /* when it was chosen last, counted in choices; 0: never */
};

/*
 * Choose one of n. key: whom BALANCE_SOURCE is about, a client's address; of IPv6 only
 * the first 64 bits count. Returns its index, or n: there is none.
 */
size_t balance_choose(enum backend_balance balance, const struct balance_server *servers, size_t n,
		      const struct ip_addr *key);

#endif
