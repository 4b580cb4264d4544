/* Checks of `fips140` and `suite_b_profile`: what they leave of the other keys of TLS. */
#ifndef ATTLSD_POLICY_RULE_FIPS_H
#define ATTLSD_POLICY_RULE_FIPS_H

#include "policy/diag.h"
#include "policy/locations.h"
#include "policy/types.h"

void rule_fips_check(const struct policy *policy, const struct locations *locations, struct diags *diags);

#endif
