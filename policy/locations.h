/*
 * Remembers where each value of a policy is in the file, for checks after parsing. A
 * location is found by object and key, so that the structs of types.h need no mark
 * for each member.
 */
#ifndef ATTLSD_POLICY_LOCATIONS_H
#define ATTLSD_POLICY_LOCATIONS_H

#include <stdbool.h>

#include "policy/arena.h"
#include "policy/diag.h"

struct location {
	struct location *next;
	const void *object;
	const char *key; /* NULL: the object itself */
	struct diag_mark mark;
	bool faulty; /* it has an error: do not rely on the value in the struct */
};

#define LOCATIONS_BUCKETS 1024

/* All zero is empty. The memory belongs to the arena that is passed in. */
struct locations {
	struct location *buckets[LOCATIONS_BUCKETS];
};

/* Add one. The key must outlive the table. NULL: no memory (arena->failed). */
struct location *locations_add(struct locations *locations, struct arena *arena, const void *object,
			       const char *key, struct diag_mark mark);

/* NULL: the key was not given. */
const struct location *locations_find(const struct locations *locations, const void *object, const char *key);

/* The mark of a key, or else of its object. */
struct diag_mark locations_mark(const struct locations *locations, const void *object, const char *key);

/* Was this object read without an error? NULL was not. */
bool locations_is_valid(const struct locations *locations, const void *object);

#endif
