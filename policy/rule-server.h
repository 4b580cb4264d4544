/* Checks of TLS toward servers, and of clients that speak none. */
#ifndef ATTLSD_POLICY_RULE_SERVER_H
#define ATTLSD_POLICY_RULE_SERVER_H

#include "policy/diag.h"
#include "policy/locations.h"
#include "policy/types.h"

/* Report what contradicts itself, or promises what it does not do. */
void rule_server_check(const struct policy *policy, const struct locations *locations, struct diags *diags);

/* Warn of what is in the clear, and of what has no effect. */
void rule_server_warn(const struct policy *policy, const struct locations *locations, struct diags *diags);

#endif
