/*
 * The sums of what all processes have counted. Each worker has a page that it shares
 * with the monitor; what a dead worker counted stays in a page of the dead, so no
 * counter goes back when a worker ends or a policy changes.
 *
 * A worker may be under an attacker's control, and writes its page itself. It lies only
 * about itself: each number has a limit, what once counted never becomes less, and a page with a
 * number that cannot be is not believed from then on.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_TOTALS_H
#define ATTLSD_GATEWAY_MONITOR_TOTALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/counters.h"
#include "gateway/monitor/keeper-start.h"
#include "policy/policy.h"

#define TOTALS_NAME_MAX 64

/* The names of one kind in all policies so far. */
struct totals_names {
	size_t n;
	struct {
		char first[TOTALS_NAME_MAX], second[TOTALS_NAME_MAX];
	} items[COUNT_NAMES];
};

/* All zero: nothing was counted yet. */
struct totals {
	struct counters dead; /* of workers that have ended; by the places of `names` */
	struct totals_names names[COUNT_KINDS];
};

/* The places of one policy's names: workers count by its own order. */
struct totals_map {
	uint8_t places[COUNT_KINDS][COUNT_NAMES];
};

/* What the monitor has for each worker. */
struct counted {
	struct counters *live;		       /* shared with the worker */
	struct counters *seen;		       /* the most that it has shown; the monitor's own */
	const struct count_family_info *doubt; /* the first one with a number that cannot be; NULL: none */
	bool frozen;			       /* `live` cannot be believed, so `seen` stays as it is */
};

/* Returns 0 or -ENOMEM. */
int counted_open(struct counted *counted);
void counted_close(struct counted *counted);

/* May the next child have the page? Returns 0 or a negative errno. */
int counted_lend(const struct counted *counted, bool lend);

/* Find places for the names of a policy. */
void totals_map(struct totals *totals, const struct policy *policy, struct totals_map *ret_map);

/* The worker is dead: its counters stay. Its page is empty then, for the next one. */
void totals_bury(struct totals *totals, struct counted *counted, const struct totals_map *map);

/*
 * Add what a living worker counts. sessions: how many it has, the most that a gauge
 * may show. current: its policy is in force.
 */
void totals_add(struct counters *sum, struct counted *counted, const struct totals_map *map, size_t sessions,
		bool current);

/* The name of a family in which it has shown what cannot be, but only once; NULL: there is nothing new. */
const char *totals_doubt(struct counted *counted);

/* Make each counter of `to` at least as large as that of `from`, which has the same places of names. */
void totals_lift(struct counters *to, const struct counters *from);

/* Add counters with the places of `totals`. */
void totals_add_page(struct counters *sum, const struct counters *from);

/* Add to one cell, which stays below 2^63. */
void totals_add_cell(struct counters *sum, size_t cell, uint64_t value);

/* Is it a counter, alone or in a histogram? */
bool totals_only_grows(enum count_type type);

/* Add what the dead and this process have counted. */
void totals_add_own(struct counters *sum, const struct totals *totals);

/* Add what the signers of a keeper have done. */
void totals_add_keys(struct counters *sum, const struct keeper_link *keeper);

/* The place of a name, which takes a free one if it has none. */
size_t totals_place(struct totals *totals, enum count_kind kind, const char *first, const char *second);

#endif
