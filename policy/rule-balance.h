/* Checks of backends with several servers. */
#ifndef ATTLSD_POLICY_RULE_BALANCE_H
#define ATTLSD_POLICY_RULE_BALANCE_H

#include "policy/locations.h"
#include "policy/types.h"

void rule_balance_check(const struct policy *policy, const struct locations *locations, struct diags *diags);

#endif
