/* Warnings about match.time, see rule-time.c. */
#ifndef ATTLSD_POLICY_RULE_TIME_H
#define ATTLSD_POLICY_RULE_TIME_H

#include "policy/diag.h"
#include "policy/locations.h"
#include "policy/types.h"

/* The rules are sorted. */
void rule_time_warn(const struct policy *policy, const struct locations *locations, struct diags *diags);

#endif
