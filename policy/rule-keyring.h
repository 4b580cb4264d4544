/* Checks of the entries of a key ring, whose keys depend on where its certificates are. */
#ifndef ATTLSD_POLICY_RULE_KEYRING_H
#define ATTLSD_POLICY_RULE_KEYRING_H

#include "policy/diag.h"
#include "policy/locations.h"
#include "policy/types.h"

void rule_keyring_check(const struct policy *policy, const struct locations *locations, struct diags *diags);

#endif
