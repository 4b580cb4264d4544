/* Checks of backends that speak TLS, for rule_check()'s caller. */
#ifndef ATTLSD_POLICY_RULE_SERVER_H
#define ATTLSD_POLICY_RULE_SERVER_H

#include "policy/diag.h"
#include "policy/locations.h"
#include "policy/types.h"

/* Report keys about TLS toward servers that contradict each other or have no effect. */
void rule_server_check(const struct policy *policy, const struct locations *locations, struct diags *diags);

#endif
