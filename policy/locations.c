/*
 * A hash table from (object, key) to the position in the file. The walker fills
 * it; rule.c and rule-warn.c look up where to point, and whether an object was parsed
 * without a fault.
 */
#include "policy/locations.h"

#include <stdint.h>
#include <string.h>

/* By the object alone, which has a few dozen keys at most. */
static size_t bucket_of(const void *object)
{
	uint64_t bits = (uintptr_t)object;

	return (size_t)((bits * 0x9e3779b97f4a7c15u) >> 54) % LOCATIONS_BUCKETS;
}

struct location *locations_add(struct locations *locations, struct arena *arena, const void *object,
			       const char *key, struct diag_mark mark)
{
	struct location **bucket = &locations->buckets[bucket_of(object)];
	struct location *location = arena_alloc(arena, 1, sizeof(*location));

	if (location == NULL)
		return NULL;
	*location = (struct location){ .next = *bucket, .object = object, .key = key, .mark = mark };
	*bucket = location;
	return location;
}

static bool same_key(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

const struct location *locations_find(const struct locations *locations, const void *object, const char *key)
{
	for (const struct location *p = locations->buckets[bucket_of(object)]; p != NULL; p = p->next)
		if (p->object == object && same_key(p->key, key))
			return p;
	return NULL;
}

struct diag_mark locations_mark(const struct locations *locations, const void *object, const char *key)
{
	const struct location *location = locations_find(locations, object, key);

	if (location == NULL)
		location = locations_find(locations, object, NULL);
	return location != NULL ? location->mark : (struct diag_mark){ 0 };
}

bool locations_is_valid(const struct locations *locations, const void *object)
{
	const struct location *location = object != NULL ? locations_find(locations, object, NULL) : NULL;

	return location != NULL && !location->faulty;
}
