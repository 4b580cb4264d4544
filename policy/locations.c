#include "policy/locations.h"

#include <stdint.h>
#include <string.h>

/* By the object alone: it has a few dozen keys at most. */
static size_t bucket_of(const void *object)
{
	uint64_t bits = (uintptr_t)object;

	return (size_t)((bits * 0x9e3779b97f4a7c15u) >> 54) % PLACES_BUCKETS;
}

struct place *places_add(struct places *places, struct arena *arena, const void *object, const char *key,
			 struct diag_mark mark)
{
	struct place **bucket = &places->buckets[bucket_of(object)];
	struct place *place = arena_alloc(arena, 1, sizeof(*place));

	if (place == NULL)
		return NULL;
	*place = (struct place){ .next = *bucket, .object = object, .key = key, .mark = mark };
	*bucket = place;
	return place;
}

static bool same_key(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

const struct place *places_find(const struct places *places, const void *object, const char *key)
{
	for (const struct place *p = places->buckets[bucket_of(object)]; p != NULL; p = p->next)
		if (p->object == object && same_key(p->key, key))
			return p;
	return NULL;
}

struct diag_mark places_mark(const struct places *places, const void *object, const char *key)
{
	const struct place *place = places_find(places, object, key);

	if (place == NULL)
		place = places_find(places, object, NULL);
	return place != NULL ? place->mark : (struct diag_mark){ 0 };
}

bool places_is_sound(const struct places *places, const void *object)
{
	const struct place *place = object != NULL ? places_find(places, object, NULL) : NULL;

	return place != NULL && !place->faulty;
}
