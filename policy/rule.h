/*
 * Checks of a policy as a whole, after each of its values was read: what is not
 * a fault of one value but of two that do not go together.
 */
#ifndef ATTLSD_POLICY_RULE_H
#define ATTLSD_POLICY_RULE_H

#include "policy/diag.h"
#include "policy/locations.h"
#include "policy/types.h"

/* Errors: contradictions between objects. Objects with faults of their own are left out. */
void rule_check(const struct policy *policy, const struct locations *locations, struct diags *diags);

/* Warnings: parts that have no effect. Call it for a policy without errors, after its rules were sorted;
 * so no location is known of a rule. */
void rule_warn(const struct policy *policy, const struct locations *locations, struct diags *diags);

#endif
