/*
 * Fills the structs from the tree, as the tables of schema.h define. Faults are
 * reported and skipped, so that one run finds them all; a faulty value stays zero,
 * which is the strictest.
 */
#ifndef ATTLSD_POLICY_WALK_H
#define ATTLSD_POLICY_WALK_H

#include "policy/node.h"
#include "policy/parse-context.h"

/* Fill the policy from the root of the tree, in the order of the tables. */
void walk_policy(struct parse_context *ctx, const struct node *root);

#endif
