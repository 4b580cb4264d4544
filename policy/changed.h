/*
 * Notes about values whose meaning has changed since earlier builds: `attlsctl check`
 * shows the lines that an administrator has to look at after an upgrade.
 */
#ifndef ATTLSD_POLICY_CHANGED_H
#define ATTLSD_POLICY_CHANGED_H

#include "policy/diag.h"
#include "policy/locations.h"
#include "policy/types.h"

/* Add a DIAG_NOTE for each object that has such a value. The policy has to be free of errors. */
void changed_note(const struct policy *policy, const struct locations *locations, struct diags *diags);

#endif
