/* Contradictions about AUTH GSSAPI across the objects of a policy. */
#ifndef ATTLSD_POLICY_RULE_KERBEROS_H
#define ATTLSD_POLICY_RULE_KERBEROS_H

#include "policy/diag.h"
#include "policy/locations.h"
#include "policy/types.h"

/* Errors, and warnings about keys without effect. Objects with faults of their own are skipped. */
void rule_kerberos_check(const struct policy *policy, const struct locations *locations, struct diags *diags);

#endif
