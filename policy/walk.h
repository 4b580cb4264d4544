/*
 * From the tree to the structs, as the tables of schema.h say: the containers
 * here, the single values in field.h. Faults are reported and skipped,
 * so that one run finds them all; a value that is faulty keeps its zero, which
 * is the strictest.
 */
#ifndef ATTLSD_POLICY_WALK_H
#define ATTLSD_POLICY_WALK_H

#include <stddef.h>

#include "policy/arena.h"
#include "policy/diag.h"
#include "policy/locations.h"
#include "policy/node.h"
#include "policy/schema.h"
#include "policy/types.h"

struct walk {
	struct policy *policy;
	struct arena *arena;   /* of the policy's strings and arrays */
	struct arena *scratch; /* of what ends with the parse */
	struct places *places;
	struct diags *diags;
	const char *folder;  /* before relative paths */
	const char *section; /* where we are: "rules", NULL at the top */
	const char *name;    /* of the object in it, NULL: none */
	size_t faults;	     /* so far, also those that the tree had reported */
};

/* Fill the policy from the root of the tree, in the order of the tables. */
void walk_policy(struct walk *walk, const struct node *root);

/* Report a fault of the file. */
#define walk_error(walk, mark, ...)                                                                          \
	((walk)->faults++, diags_add((walk)->diags, DIAG_ERROR, (mark), __VA_ARGS__))

/* '; did you mean "x"?' for the nearest candidate, or "" (in scratch memory). Candidates end with NULL. */
const char *walk_hint(struct walk *walk, const char *word, const char *const *candidates);

#endif
