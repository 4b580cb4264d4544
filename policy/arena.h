/*
 * Memory that is freed all at once: a policy, and the tree that it is read from.
 *
 * A parser need not check each allocation: a failed one returns NULL and sets
 * `failed`, which the owner of the arena checks before using the result.
 */
#ifndef ATTLSD_POLICY_ARENA_H
#define ATTLSD_POLICY_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena {
	struct arena_block *blocks;
	bool failed;
};

/* Zeroed memory for n objects of this size, or NULL. n 0 gives a valid pointer to nothing. */
void *arena_alloc(struct arena *arena, size_t n, size_t size);
/* A NUL-terminated copy, or NULL. */
char *arena_strndup(struct arena *arena, const char *text, size_t len);
/* Free everything; the arena is empty and may be used again. */
void arena_done(struct arena *arena);

#endif
