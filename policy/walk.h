/*
 * From the tree to the structs, as the tables of schema.h say: the containers
 * here, the single values in field.h. Faults are reported and skipped,
 * so that one run finds them all; a value that is faulty keeps its zero, which
 * is the strictest.
 */
#ifndef ATTLSD_POLICY_WALK_H
#define ATTLSD_POLICY_WALK_H

#include "policy/node.h"
#include "policy/parse-context.h"

/* Fill the policy from the root of the tree, in the order of the tables. */
void walk_policy(struct parse_context *ctx, const struct node *root);

#endif
