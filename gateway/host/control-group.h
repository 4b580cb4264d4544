/* Looks up daemon.control_group. */
#ifndef ATTLSD_GATEWAY_HOST_CONTROL_GROUP_H
#define ATTLSD_GATEWAY_HOST_CONTROL_GROUP_H

#include "policy/policy.h"

/*
 * Find the group, for an attlsd that the caller's user starts. It may ask name services, so it may
 * take long. Returns 1; 0: the policy names no group; or a negative errno after adding a fault.
 */
int control_group_find(const struct policy_daemon *daemon, struct diags *diags, unsigned *ret_gid);

#endif
