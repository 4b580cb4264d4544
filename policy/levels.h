/* Levels that differ from those of an ftp_action: for some users, and while a rule audits. */
#ifndef ATTLSD_POLICY_LEVELS_H
#define ATTLSD_POLICY_LEVELS_H

#include "policy/arena.h"
#include "policy/diag.h"
#include "policy/locations.h"
#include "policy/types.h"

/* Make the actions of `per_user` and of rules with `action: audit`, and check them. */
void levels_finish(struct policy *policy, const struct locations *locations, struct arena *arena,
		   struct diags *diags);

/* Warn about what audits nothing. */
void levels_warn(const struct policy *policy, const struct locations *locations, struct diags *diags);

#endif
