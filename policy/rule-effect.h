/*
 * Warnings about values that have no effect, or a worse one than they seem to have.
 */
#ifndef ATTLSD_POLICY_RULE_EFFECT_H
#define ATTLSD_POLICY_RULE_EFFECT_H

#include "policy/diag.h"
#include "policy/locations.h"
#include "policy/types.h"

/* For a policy without errors whose rules are sorted, as rule_warn(). */
void rule_effect_warn(const struct policy *policy, const struct locations *locations, struct diags *diags);

#endif
