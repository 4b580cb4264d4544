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

struct place {
	struct place *next;
	const void *object;
	const char *key; /* NULL: the object itself */
	struct diag_mark mark;
	bool faulty; /* it has an error: what is in the struct says little */
};

#define PLACES_BUCKETS 1024

/* An all-zero one is empty. Its memory belongs to the arena that is passed in. */
struct places {
	struct place *buckets[PLACES_BUCKETS];
};

/* Remember a place. The key must outlive the table. NULL: no memory (arena->failed). */
struct place *places_add(struct places *places, struct arena *arena, const void *object, const char *key,
			 struct diag_mark mark);

/* NULL: the key was not given. */
const struct place *places_find(const struct places *places, const void *object, const char *key);

/* The place of a key, or else of its object. */
struct diag_mark places_mark(const struct places *places, const void *object, const char *key);

/* An object that was read without an error. NULL is none. */
bool places_is_sound(const struct places *places, const void *object);

#endif
