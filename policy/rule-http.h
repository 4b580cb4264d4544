/* Checks of the keys of the HTTP listener, daemon.http*, and of daemon.agent. */
#ifndef ATTLSD_POLICY_RULE_HTTP_H
#define ATTLSD_POLICY_RULE_HTTP_H

#include "policy/diag.h"
#include "policy/locations.h"
#include "policy/types.h"

/* Errors: the listener would be open to others, or could not be opened. */
void rule_http_check(const struct policy *policy, const struct locations *locations, struct diags *diags);

/* Warnings: keys without an effect. */
void rule_http_warn(const struct policy *policy, const struct locations *locations, struct diags *diags);

#endif
