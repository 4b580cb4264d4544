/*
 * Checks of the users of a policy: who may log in, and whether an entry has an effect.
 */
#ifndef ATTLSD_POLICY_RULE_USERS_H
#define ATTLSD_POLICY_RULE_USERS_H

#include "policy/diag.h"
#include "policy/locations.h"
#include "policy/types.h"

/* Errors. Objects with faults of their own are skipped. Before the rules are sorted. */
void rule_users_check(const struct policy *policy, const struct locations *locations, struct diags *diags);

#endif
