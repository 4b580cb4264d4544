/*
 * Features of the policy language that the gateway does not support yet. Each use
 * is an error, so that nobody relies on a protection that does not exist.
 */
#ifndef ATTLSD_POLICY_UNSUPPORTED_H
#define ATTLSD_POLICY_UNSUPPORTED_H

#include <stddef.h>
#include <stdint.h>

#include "policy/diag.h"
#include "policy/locations.h"
#include "policy/types.h"

/* For `allowed`: any value but this one. */
#define UNSUPPORTED_NOT	       0x80000000u
#define UNSUPPORTED_BUT(value) (UNSUPPORTED_NOT | (uint32_t)(value))

struct unsupported {
	const char *section; /* NULL: a key of the top level */
	const char *key;
	uint32_t allowed; /* the only value that is allowed, or UNSUPPORTED_BUT() */
	const char *fix;  /* what to do instead */
};

/* A row of the table, NULL past the end. */
const struct unsupported *unsupported_at(size_t index);

void unsupported_check(const struct policy *policy, const struct locations *locations, struct diags *diags);

#endif
