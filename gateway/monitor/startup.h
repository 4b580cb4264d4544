/*
 * What the monitor finds out and sets before it starts workers.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_STARTUP_H
#define ATTLSD_GATEWAY_MONITOR_STARTUP_H

#include <stdbool.h>

#include "policy/policy.h"

/*
 * Whom the workers become, when started as root (0 and 0 otherwise). Returns 0,
 * or a negative errno after printing what is wrong at its place in the policy.
 */
int startup_find_user(const struct policy *policy, const struct diags *source, unsigned *ret_uid,
		      unsigned *ret_gid);

/*
 * What the workers inherit: as many open files as the host allows, and the kernel's
 * TLS. Says what is missing for the policy.
 */
void startup_prepare_host(const struct policy *policy);

#endif
