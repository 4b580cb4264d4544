/*
 * Checks of `access`: whether each entry says who it is for, and whether it ever decides.
 */
#ifndef ATTLSD_POLICY_RULE_ACCESS_H
#define ATTLSD_POLICY_RULE_ACCESS_H

#include "policy/diag.h"
#include "policy/locations.h"
#include "policy/types.h"

/* Errors. Objects with faults of their own are skipped. */
void rule_access_check(const struct policy *policy, const struct locations *locations, struct diags *diags);

/* Warnings, for policies without errors. */
void rule_access_warn(const struct policy *policy, const struct locations *locations, struct diags *diags);

#endif
