/*
 * What the monitor finds out and sets before it starts workers.
 */
#ifndef ATTLSD_GATEWAY_STARTUP_H
#define ATTLSD_GATEWAY_STARTUP_H

#include "policy/policy.h"

/*
 * Whom the workers become, when started as root (0 and 0 otherwise). Returns 0,
 * or a negative errno after printing what is wrong at its place in the policy.
 */
int startup_find_user(const struct policy *policy, const struct diags *source, unsigned *ret_uid,
		      unsigned *ret_gid);

/* Allow as many open files as the host lets us; says when that is too few for the sessions of the policy. */
void startup_raise_file_limit(const struct policy *policy);

#endif
