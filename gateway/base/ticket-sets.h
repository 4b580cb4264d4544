/*
 * Seeds for the keys of session tickets of tls_actions that have session_ticket_keys: made of the
 * secrets in that file and of the time (ticket-secrets.h), so that other nodes make the same.
 *
 * As those of ticket-seeds.h, sets lie in pages of their own, which a worker gives back
 * before it meets its first client.
 */
#ifndef ATTLSD_GATEWAY_BASE_TICKET_SETS_H
#define ATTLSD_GATEWAY_BASE_TICKET_SETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/ticket-seeds.h"

/* Secrets of a file, and epochs of each: the one that runs, and the one before and after it. */
#define TICKET_SECRETS_MAX 4
#define TICKET_EPOCHS	   3
#define TICKET_SET_MAX	   (TICKET_SECRETS_MAX * TICKET_EPOCHS)

/* Of one tls_action. */
struct ticket_set {
	size_t action; /* its index in policy.tls_actions */
	uint64_t epoch;
	size_t n;
	uint8_t seeds[TICKET_SET_MAX][TICKET_SEED_BYTES]; /* the first one encrypts; then as they come */
};

/* Of one policy. */
struct ticket_sets {
	size_t n;
	struct ticket_set sets[];
};

/* What a message has room for: the seeds of one secret. A set comes in order of `place`. */
struct ticket_part {
	uint32_t place, of;
	uint8_t seeds[TICKET_EPOCHS][TICKET_SEED_BYTES];
};

/* With room for n sets, in shared pages. NULL: no memory. */
struct ticket_sets *ticket_sets_new(size_t n);

/* NULL, in the first four also as sets: none. */
const struct ticket_set *ticket_sets_find(const struct ticket_sets *sets, size_t action);
/* May the next child have them? As shared_lend(). */
int ticket_sets_lend(struct ticket_sets *sets, bool lend);
/* In the child: give them back. They stay as they are for the parent. */
void ticket_sets_return(struct ticket_sets **sets);
/* In the parent: wipe and free them. */
void ticket_sets_free(struct ticket_sets **sets);

/* The part of a set at this place. */
void ticket_set_part(const struct ticket_set *set, size_t place, struct ticket_part *ret);

/*
 * Put a part into a set that is being gathered, all zero at first. Returns true if it is whole; a part that
 * does not follow the last one makes it begin again with the next first part.
 */
bool ticket_set_gather(struct ticket_set *set, const struct ticket_part *part);

#endif
