/*
 * Counters on their way from one attlsd to the next. The two may know different families, labels and
 * values, so each counter travels with its texts; what the reader does not know is lost.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_COUNTS_PASSED_H
#define ATTLSD_GATEWAY_MONITOR_COUNTS_PASSED_H

#include <stdint.h>

#include "gateway/base/counters.h"
#include "gateway/base/handover-state.h"
#include "gateway/monitor/totals.h"

/* Collects counters, and writes them with one call at the end. */
struct counts_passed;

/* NULL: no memory. */
struct counts_passed *counts_passed_new(void);

/* Add what only grows in a page, whose names have the places of `totals`. process: as in handover_count. */
void counts_passed_add(struct counts_passed *counts, const struct counters *page, const struct totals *totals,
		       int32_t process);

/* Write all of it, and free it. */
void counts_passed_write(struct counts_passed **counts, struct handover_writer *writer);

/*
 * Lift the counters of a page to those of this process, and find places for their names. A page only
 * grows, whatever is read.
 */
void counts_passed_read(const struct handover_reader *reader, int32_t process, struct totals *totals,
			struct counters *page);

#endif
