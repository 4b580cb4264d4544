/*
 * Judges moments by conditions. A moment is first turned into local seconds; the rest is
 * the calendar. So an hour that the clock skips in spring fulfils nothing, and one that it
 * repeats in autumn does so twice.
 */
#include "policy/time-condition.h"

#include <strings.h>

#include "policy/calendar.h"

#define MINUTE_S    60
#define DAY_MINUTES 1440
/* Each date falls on each weekday within so many days, 29 February around 2100 included. */
#define HORIZON_DAYS (40 * 366)

int64_t policy_time_local(const struct policy_time *time, int64_t at_s)
{
	size_t low = 0, high = time->nspans;

	if (time->nspans == 0)
		return at_s;
	/* the last span that has begun */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (time->spans[middle].from_s <= at_s)
			low = middle;
		else
			high = middle;
	}
	return at_s + time->spans[low].ahead_s;
}

static bool has_day(const struct policy_time *time, int64_t day)
{
	const struct calendar_date date = calendar_date(day);
	unsigned from_end = calendar_month_days(date.year, date.month) - date.day;
	uint64_t bits = UINT64_C(1) << (date.day - 1) | UINT64_C(1) << (TIME_DAY_FROM_END + from_end);

	return (time->months == 0 || (time->months >> (date.month - 1) & 1) != 0) &&
	       (time->days_of_month == 0 || (time->days_of_month & bits) != 0) &&
	       (time->days_of_week == 0 || (time->days_of_week >> calendar_weekday(day) & 1) != 0);
}

static bool is_within(const struct policy_time *time, int64_t local_s)
{
	return local_s >= time->since_s && (time->until_s == 0 || local_s < time->until_s);
}

static bool has_minute(const struct policy_time *time, unsigned minute)
{
	for (size_t i = 0; i < time->ntimes; i++) {
		const struct time_of_day_range *range = &time->times[i];
		bool after = minute >= range->from, before = minute < range->to;

		if (range->from < range->to ? after && before : after || before)
			return true;
	}
	return time->ntimes == 0;
}

static bool holds(const struct policy_time *time, int64_t local_s)
{
	unsigned second;
	int64_t day = calendar_split(local_s, &second);

	return is_within(time, local_s) && has_minute(time, second / MINUTE_S) && has_day(time, day);
}

bool policy_times_hold(const struct policy_time *times, size_t n, int64_t at_s)
{
	for (size_t i = 0; i < n; i++)
		if (holds(&times[i], policy_time_local(&times[i], at_s)))
			return true;
	return n == 0;
}

/* Do both have a minute of this day, of which [since, until) may be a part? */
static bool meet_on(const struct policy_time *a, const struct policy_time *b, int64_t day, int64_t since_s,
		    int64_t until_s)
{
	for (unsigned minute = 0; minute < DAY_MINUTES; minute++) {
		int64_t from_s = day * CALENDAR_DAY_S + (int64_t)minute * MINUTE_S;

		if (from_s < until_s && from_s + MINUTE_S > since_s && has_minute(a, minute) &&
		    has_minute(b, minute))
			return true;
	}
	return false;
}

static int64_t earlier_end(const struct policy_time *a, const struct policy_time *b)
{
	if (a->until_s == 0 || b->until_s == 0)
		return a->until_s != 0 ? a->until_s : b->until_s != 0 ? b->until_s : INT64_MAX;
	return a->until_s < b->until_s ? a->until_s : b->until_s;
}

bool policy_time_meets(const struct policy_time *a, const struct policy_time *b)
{
	int64_t since_s = a->since_s > b->since_s ? a->since_s : b->since_s;
	int64_t until_s = earlier_end(a, b);
	bool knows_whole = false;
	unsigned second;
	int64_t first = calendar_split(since_s, &second);

	for (int64_t day = first; day < first + HORIZON_DAYS && day * CALENDAR_DAY_S < until_s; day++) {
		/* the minutes of all days that are whole are the same */
		bool whole =
		    day * CALENDAR_DAY_S >= since_s && until_s - day * CALENDAR_DAY_S >= CALENDAR_DAY_S;

		if ((whole && knows_whole) || !has_day(a, day) || !has_day(b, day))
			continue;
		if (meet_on(a, b, day, since_s, until_s))
			return true;
		knows_whole |= whole;
	}
	return false;
}

bool policy_time_is_possible(const struct policy_time *time)
{
	return policy_time_meets(time, time);
}

/* Is each bit of b in a? No bit stands for all. */
static bool has_bits(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && (b & ~a) == 0);
}

static bool has_minutes(const struct policy_time *a, const struct policy_time *b)
{
	for (unsigned minute = 0; minute < DAY_MINUTES; minute++)
		if (has_minute(b, minute) && !has_minute(a, minute))
			return false;
	return true;
}

/* Does it always hold, so that its zone does not matter? */
static bool is_always(const struct policy_time *time)
{
	static const struct policy_time any = { .since_s = 0 };

	return time->since_s == 0 && time->until_s == 0 && time->months == 0 && time->days_of_week == 0 &&
	       time->days_of_month == 0 && has_minutes(time, &any);
}

static bool covers(const struct policy_time *a, const struct policy_time *b)
{
	if (is_always(a))
		return true;
	return b->zone != NULL && strcasecmp(a->zone, b->zone) == 0 && a->since_s <= b->since_s &&
	       (a->until_s == 0 || (b->until_s != 0 && b->until_s <= a->until_s)) &&
	       has_bits(a->months, b->months) && has_bits(a->days_of_week, b->days_of_week) &&
	       has_bits(a->days_of_month, b->days_of_month) && has_minutes(a, b);
}

bool policy_times_cover(const struct policy_time *a, size_t na, const struct policy_time *b, size_t nb)
{
	static const struct policy_time always = { .since_s = 0 };

	if (na == 0)
		return true;
	if (nb == 0) {
		b = &always;
		nb = 1;
	}
	for (size_t i = 0; i < nb; i++) {
		bool covered = false;

		for (size_t j = 0; j < na && !covered; j++)
			covered = covers(&a[j], &b[i]);
		if (!covered)
			return false;
	}
	return true;
}
