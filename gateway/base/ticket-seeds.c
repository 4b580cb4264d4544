/* Makes, keeps and wipes the seeds of session tickets. They live in shared pages, see shared.h. */
#include "gateway/base/ticket-seeds.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "gateway/base/shared.h"

#define MS_PER_S 1000

static bool make(struct ticket_seed *seed, uint64_t now_ms)
{
	seed->since_ms = now_ms;
	return getrandom(seed->bytes, sizeof(seed->bytes), 0) == (ssize_t)sizeof(seed->bytes);
}

const struct ticket_seeds *ticket_seeds_find(const struct ticket_seeds *head, uint32_t rotation_s)
{
	while (head != NULL && head->rotation_s != rotation_s)
		head = head->next;
	return head;
}

static struct ticket_seeds *find_or_add(struct ticket_seeds **head, uint32_t rotation_s)
{
	struct ticket_seeds *seeds = (struct ticket_seeds *)(uintptr_t)ticket_seeds_find(*head, rotation_s);

	if (seeds != NULL)
		return seeds;
	seeds = shared_map(sizeof(*seeds));
	if (seeds == NULL)
		return NULL;
	seeds->rotation_s = rotation_s;
	seeds->next = *head;
	*head = seeds;
	return seeds;
}

int ticket_seeds_add(struct ticket_seeds **head, uint32_t rotation_s, uint64_t lifetime_ms,
		     const struct ticket_seed *seed)
{
	struct ticket_seeds *seeds = find_or_add(head, rotation_s);

	if (seeds == NULL)
		return -ENOMEM;
	if (seeds->n == TICKET_SEEDS_MAX)
		return -ENOSPC;
	seeds->list[seeds->n++] = *seed;
	if (lifetime_ms > seeds->lifetime_ms)
		seeds->lifetime_ms = lifetime_ms;
	return 0;
}

int ticket_seeds_need(struct ticket_seeds **head, uint32_t rotation_s, uint64_t lifetime_ms, uint64_t now_ms)
{
	struct ticket_seeds *seeds = (struct ticket_seeds *)(uintptr_t)ticket_seeds_find(*head, rotation_s);

	if (seeds == NULL) {
		seeds = shared_map(sizeof(*seeds));
		if (seeds == NULL)
			return -ENOMEM;
		if (!make(&seeds->list[0], now_ms)) {
			shared_unmap(seeds, sizeof(*seeds));
			return -ENOMEM;
		}
		seeds->rotation_s = rotation_s;
		seeds->n = 1;
		seeds->next = *head;
		*head = seeds;
	}
	if (lifetime_ms > seeds->lifetime_ms)
		seeds->lifetime_ms = lifetime_ms;
	return 0;
}

static void wipe_oldest(struct ticket_seeds *seeds)
{
	seeds->n--;
	explicit_bzero(&seeds->list[seeds->n], sizeof(seeds->list[0]));
}

uint64_t ticket_seeds_due_ms(const struct ticket_seeds *seeds, uint64_t now_ms)
{
	uint64_t due_ms = seeds->list[0].since_ms + (uint64_t)seeds->rotation_s * MS_PER_S;

	return due_ms > now_ms ? due_ms - now_ms : 0;
}

bool ticket_seeds_rotate(struct ticket_seeds *seeds, uint64_t now_ms)
{
	struct ticket_seed seed;

	/* the last ticket of the oldest seed was made as its successor began */
	while (seeds->n > 1 && seeds->list[seeds->n - 2].since_ms + seeds->lifetime_ms <= now_ms)
		wipe_oldest(seeds);
	if (ticket_seeds_due_ms(seeds, now_ms) > 0 || !make(&seed, now_ms))
		return false;
	if (seeds->n == TICKET_SEEDS_MAX)
		wipe_oldest(seeds);
	memmove(&seeds->list[1], &seeds->list[0], seeds->n * sizeof(seed));
	seeds->list[0] = seed;
	seeds->n++;
	explicit_bzero(&seed, sizeof(seed));
	return true;
}

int ticket_seeds_lend(struct ticket_seeds *head, bool lend)
{
	int r = 0;

	for (; r == 0 && head != NULL; head = head->next)
		r = shared_lend(head, sizeof(*head), lend);
	return r;
}

void ticket_seeds_return(struct ticket_seeds **head)
{
	while (*head != NULL) {
		struct ticket_seeds *seeds = *head;

		*head = seeds->next;
		shared_unmap(seeds, sizeof(*seeds));
	}
}

void ticket_seeds_free(struct ticket_seeds **head)
{
	for (struct ticket_seeds *seeds = *head; seeds != NULL; seeds = seeds->next)
		explicit_bzero(seeds->list, seeds->n * sizeof(seeds->list[0]));
	ticket_seeds_return(head);
}
