/* Checks of ftp_actions.*.passivedatashare. */
#ifndef ATTLSD_POLICY_RULE_SHARE_H
#define ATTLSD_POLICY_RULE_SHARE_H

#include "policy/diag.h"
#include "policy/locations.h"
#include "policy/types.h"

/* Errors: the ports could not be opened, or connections could not be told apart. */
void rule_share_check(const struct policy *policy, const struct locations *locations, struct diags *diags);

/* Warnings: sessions would wait for each other. */
void rule_share_warn(const struct policy *policy, const struct locations *locations, struct diags *diags);

#endif
