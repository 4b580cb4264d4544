/*
 * What one gateway of several has of its own: its name, its addresses and its ports for data. They
 * are in a file beside the policy (attlsd -N), so that all gateways can have the same policy.
 */
#ifndef ATTLSD_POLICY_OWN_VALUES_H
#define ATTLSD_POLICY_OWN_VALUES_H

#include <stdbool.h>

#include "policy/arena.h"
#include "policy/diag.h"
#include "policy/node.h"
#include "policy/types.h"

/*
 * May that file have this key of this section of the policy? key NULL: any key of it.
 * ret_named: the section has objects with names, and they have the key. It may be NULL.
 */
bool own_values_allow(const char *section, const char *key, bool *ret_named);

/*
 * Move the values of `own`, the tree of that file, into the policy's tree, in place of those that are there.
 * Anything else in it is a fault. policy->own lists what was taken, in memory of the arena.
 */
void own_values_merge(struct node *tree, struct node *own, struct policy *policy, struct arena *arena,
		      struct diags *diags);

#endif
