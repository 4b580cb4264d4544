/*
 * What the keys of session tickets are made of: random seeds, one for each period of
 * session_ticket_rotation. The monitor makes them, and all workers of all generations get
 * the same, so that a client can resume its session with any worker.
 *
 * Seeds lie in pages of their own: a process that is not meant to have them gets none in
 * a fork, and a worker gives them back before it meets its first client.
 */
#ifndef ATTLSD_GATEWAY_BASE_TICKET_SEEDS_H
#define ATTLSD_GATEWAY_BASE_TICKET_SEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TICKET_SEED_BYTES 32
/* With a short rotation and a long session_timeout, the oldest seeds go early. */
#define TICKET_SEEDS_MAX 1024

struct ticket_seed {
	uint64_t since_ms; /* when it became the newest; of the clock of loop_clock_us() */
	uint8_t bytes[TICKET_SEED_BYTES];
};

/* The seeds of all tls_actions with the same rotation. */
struct ticket_seeds {
	uint32_t rotation_s;
	uint64_t lifetime_ms; /* of the tickets that live longest */
	struct ticket_seeds *next;
	size_t n;
	struct ticket_seed list[TICKET_SEEDS_MAX]; /* the newest first */
};

/*
 * Have seeds for this rotation in the list *head, for tickets that live this long. Returns
 * 0, or -ENOMEM: no memory, or no random numbers.
 */
int ticket_seeds_need(struct ticket_seeds **head, uint32_t rotation_s, uint64_t lifetime_ms, uint64_t now_ms);

/*
 * Add a seed of another attlsd as the oldest of its rotation. Returns 0; -ENOMEM; or -ENOSPC: there
 * are as many as fit.
 */
int ticket_seeds_add(struct ticket_seeds **head, uint32_t rotation_s, uint64_t lifetime_ms,
		     const struct ticket_seed *seed);

/* NULL: none of this rotation. */
const struct ticket_seeds *ticket_seeds_find(const struct ticket_seeds *head, uint32_t rotation_s);

/*
 * Make a new seed if it is time, and wipe those whose tickets have all expired. Returns
 * whether there is a new one.
 */
bool ticket_seeds_rotate(struct ticket_seeds *seeds, uint64_t now_ms);

/* In how many milliseconds the next seed is due. */
uint64_t ticket_seeds_due_ms(const struct ticket_seeds *seeds, uint64_t now_ms);

/* May the next child have them? As shared_lend(). */
int ticket_seeds_lend(struct ticket_seeds *head, bool lend);

/* In the child: give them back. They stay as they are for the parent. */
void ticket_seeds_return(struct ticket_seeds **head);

/* In the parent: wipe and free them. */
void ticket_seeds_free(struct ticket_seeds **head);

#endif
