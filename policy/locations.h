/*
 * Where each given value of a policy stands in its text, for checks that come
 * after parsing. Known by the object and the key, so the structs of policy.h
 * need no mark for each of their members.
 */
#ifndef ATTLSD_POLICY_LOCATIONS_H
#define ATTLSD_POLICY_LOCATIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/arena.h"
#include "policy/diag.h"

struct location {
	struct location *next;
	const void *object;
	const char *key; /* NULL: the object itself */
	struct diag_mark mark;
	bool faulty; /* it has an error: what is in the struct says little */
};

#define LOCATIONS_BUCKETS 1024

/* An all-zero one is empty. Its memory belongs to the arena that is passed in. */
struct locations {
	struct location *buckets[LOCATIONS_BUCKETS];
};

/* Remember one. The key must outlive the table. NULL: no memory (arena->failed). */
struct location *locations_add(struct locations *locations, struct arena *arena, const void *object,
			       const char *key, struct diag_mark mark);

/* NULL: the key was not given. */
const struct location *locations_find(const struct locations *locations, const void *object, const char *key);

/* The mark of a key, or else of its object. */
struct diag_mark locations_mark(const struct locations *locations, const void *object, const char *key);

/* An object that was read without an error. NULL is none. */
bool locations_is_valid(const struct locations *locations, const void *object);

#endif
