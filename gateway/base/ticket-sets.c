/* Keeps sets of seeds in shared pages (shared.h), and takes them apart for messages. */
#include "gateway/base/ticket-sets.h"

#include <string.h>

#include "gateway/base/shared.h"

static size_t size_of(size_t n)
{
	return sizeof(struct ticket_sets) + n * sizeof(struct ticket_set);
}

struct ticket_sets *ticket_sets_new(size_t n)
{
	struct ticket_sets *sets = shared_map(size_of(n));

	if (sets != NULL)
		sets->n = n;
	return sets;
}

const struct ticket_set *ticket_sets_find(const struct ticket_sets *sets, size_t action)
{
	for (size_t i = 0; sets != NULL && i < sets->n; i++)
		if (sets->sets[i].action == action)
			return &sets->sets[i];
	return NULL;
}

int ticket_sets_lend(struct ticket_sets *sets, bool lend)
{
	return sets == NULL ? 0 : shared_lend(sets, size_of(sets->n), lend);
}

void ticket_sets_return(struct ticket_sets **sets)
{
	if (*sets != NULL)
		shared_unmap(*sets, size_of((*sets)->n));
	*sets = NULL;
}

void ticket_sets_free(struct ticket_sets **sets)
{
	if (*sets != NULL)
		explicit_bzero((*sets)->sets, (*sets)->n * sizeof((*sets)->sets[0]));
	ticket_sets_return(sets);
}

void ticket_set_part(const struct ticket_set *set, size_t place, struct ticket_part *ret)
{
	*ret = (struct ticket_part){ .place = (uint32_t)place, .of = (uint32_t)(set->n / TICKET_EPOCHS) };
	memcpy(ret->seeds, set->seeds[place * TICKET_EPOCHS], sizeof(ret->seeds));
}

bool ticket_set_gather(struct ticket_set *set, const struct ticket_part *part)
{
	if (part->place == 0)
		set->n = 0;
	if (part->of > TICKET_SECRETS_MAX || part->place >= part->of ||
	    set->n != part->place * TICKET_EPOCHS) {
		set->n = 0;
		return false;
	}
	memcpy(set->seeds[set->n], part->seeds, sizeof(part->seeds));
	set->n += TICKET_EPOCHS;
	return part->place + 1 == part->of;
}
