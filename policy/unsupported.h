/*
 * What the policy language has and the gateway has not yet: each use is an
 * error at its place, so that nobody believes in a protection that is not there.
 */
#ifndef ATTLSD_POLICY_UNSUPPORTED_H
#define ATTLSD_POLICY_UNSUPPORTED_H

#include <stddef.h>
#include <stdint.h>

#include "policy/diag.h"
#include "policy/locations.h"
#include "policy/types.h"

/* `allowed` of a key of which only this value may not be given. */
#define UNSUPPORTED_NOT	       0x80000000u
#define UNSUPPORTED_BUT(value) (UNSUPPORTED_NOT | (uint32_t)(value))

struct unsupported {
	const char *section; /* NULL: a key of the top level */
	const char *key;
	uint32_t allowed; /* the only value that may be given, or the macro above */
	const char *fix;  /* what to do instead */
};

/* The row of the table, NULL past the end. */
const struct unsupported *unsupported_at(size_t index);

void unsupported_check(const struct policy *policy, const struct locations *locations, struct diags *diags);

#endif
