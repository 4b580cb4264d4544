/* The address that a client dials, as the options --local and --to give it. */
#ifndef ATTLSD_GATEWAY_CTL_EXPLAIN_TO_H
#define ATTLSD_GATEWAY_CTL_EXPLAIN_TO_H

#include <stddef.h>

#include "policy/policy.h"

/* Nothing given: n is 0. */
struct explain_dialled {
	struct ip_addr addresses[POLICY_ADDRESSES_MAX];
	size_t n;
	uint16_t port; /* 0: not given */
};

/* "192.0.2.1", "192.0.2.1:21", "2001:db8::1" or "[2001:db8::1]:21". False: none of them. */
bool explain_dialled_parse(const char *text, struct explain_dialled *ret);

/* The same, or a host name, which is looked up. Returns 0, or the exit status after printing why not. */
int explain_dialled_look_up(const char *text, struct explain_dialled *ret);

#endif
