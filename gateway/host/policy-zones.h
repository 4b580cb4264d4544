/*
 * The time zones of a policy's conditions, read once: workers can open no file, and a copy
 * of the transitions is also right after the next change of the clocks.
 */
#ifndef ATTLSD_GATEWAY_HOST_POLICY_ZONES_H
#define ATTLSD_GATEWAY_HOST_POLICY_ZONES_H

#include "policy/policy.h"

/*
 * Read the zone of each condition, and warn about those that are over. A zone that this host
 * does not have is an error in diags. Returns 0, -EINVAL after such an error, or -ENOMEM.
 * Not for threads: the zone is in the environment meanwhile.
 */
int policy_zones_load(struct policy *policy, struct diags *diags);

#endif
