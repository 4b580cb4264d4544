/*
 * The parts of the parser share this: where values go, where the parser is in the
 * file, and functions that report faults.
 */
#ifndef ATTLSD_POLICY_PARSE_CONTEXT_H
#define ATTLSD_POLICY_PARSE_CONTEXT_H

#include <stddef.h>

#include "policy/arena.h"
#include "policy/diag.h"
#include "policy/locations.h"
#include "policy/types.h"

struct parse_context {
	struct policy *policy;
	struct arena *arena;   /* for the strings and arrays of the policy */
	struct arena *scratch; /* for what is needed during the parse only */
	struct locations *locations;
	struct diags *diags;
	const char *folder;  /* put before relative paths */
	const char *section; /* the current section, such as "rules"; NULL at the top */
	const char *name;    /* of the object in it, NULL: none */
	size_t faults;	     /* so far, including those of the tree */
	const char *meant;   /* what the next fault should be instead, NULL: not known */
};

/* Report a fault of the file. */
#define parse_error(ctx, code, mark, ...)                                                                    \
	((ctx)->faults++, diags_add((ctx)->diags, DIAG_ERROR, (code), (mark), __VA_ARGS__),                  \
	 parse_add_fix(ctx))

/* The fault that was just reported gets what parse_hint() found for it. */
void parse_add_fix(struct parse_context *ctx);

/* The three texts joined, as a hint that lasts as long as the parse; "" without memory. */
const char *parse_make_hint(struct parse_context *ctx, const char *before, const char *word,
			    const char *after);

/* '; did you mean "x"?' for the nearest candidate, or "" (in scratch memory). Candidates end with NULL. */
const char *parse_hint(struct parse_context *ctx, const char *word, const char *const *candidates);

#endif
