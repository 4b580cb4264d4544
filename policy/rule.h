/*
 * Checks of a whole policy, after all values were read: faults that are not in one
 * value, but in two that contradict each other.
 */
#ifndef ATTLSD_POLICY_RULE_H
#define ATTLSD_POLICY_RULE_H

#include "policy/diag.h"
#include "policy/locations.h"
#include "policy/types.h"

/* Errors: contradictions between objects. Objects with faults of their own are skipped. */
void rule_check(const struct policy *policy, const struct locations *locations, struct diags *diags);

/* Warnings: parts without an effect. For a policy without errors whose rules are sorted, so that the
 * locations of rules are no longer valid. */
void rule_warn(const struct policy *policy, const struct locations *locations, struct diags *diags);

#endif
