/*
 * When a rule applies: IpTimeCondition of z/OS, which is the PolicyTimePeriodCondition of
 * RFC 3060. All that a condition names must fit at a moment; of several conditions, one.
 */
#ifndef ATTLSD_POLICY_TIME_CONDITION_H
#define ATTLSD_POLICY_TIME_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/diag.h"

/* From this second on (of UTC, since 1970), local time is so much ahead of UTC. */
struct zone_span {
	int64_t from_s;
	int32_t ahead_s;
};

/* Minutes of a day: [from, to), and over midnight if to <= from. */
struct time_of_day_range {
	uint16_t from; /* 0 to 1439 */
	uint16_t to;   /* 0 to 1440 */
};

/* Bits of days_of_month: the 1st is bit 0, the last day of a month bit 31. */
#define TIME_DAY_FROM_END 31
#define TIME_DAYS_MAX	  31

/* Masks that are 0 stand for all days or months, so a condition of zeros always holds. */
struct policy_time {
	int64_t since_s, until_s; /* [since, until) in local seconds since 1970; until_s 0: for ever */
	uint64_t days_of_month;
	unsigned months;		 /* January is bit 0 */
	unsigned days_of_week;		 /* Sunday is bit 0 */
	struct time_of_day_range *times; /* ntimes 0: the whole day */
	size_t ntimes;
	const char *zone; /* "local", "utc", or a name of the time zone database */
	/* gateway/host/policy-zones.c reads them; nspans 0: UTC. In order; before the first one, it counts */
	const struct zone_span *spans;
	size_t nspans;
	struct diag_mark mark, zone_mark;
};

/* Is one of the conditions fulfilled at this moment (seconds since 1970)? Without any, it always is. */
bool policy_times_hold(const struct policy_time *times, size_t n, int64_t at_s);

/* Does the first list hold whenever the second does? False also means: not known. */
bool policy_times_cover(const struct policy_time *a, size_t na, const struct policy_time *b, size_t nb);

/* Can a moment fulfil the condition at all? */
bool policy_time_is_possible(const struct policy_time *time);

/* Is there a moment that fulfils both? Zones with different names count as one. */
bool policy_time_meets(const struct policy_time *a, const struct policy_time *b);

/* The local seconds of this moment, in which the condition counts. */
int64_t policy_time_local(const struct policy_time *time, int64_t at_s);

#endif
