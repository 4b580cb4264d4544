/*
 * Turns conditions of time into match.time: masks of bits become words, and the seconds of
 * periods whole minutes, since a policy has no shorter ones.
 */
#include "gateway/import/attls-time.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/import/text.h"

#define MONTH_DAYS 31

/* The value of one key, "" if it stands for all, or NULL: it cannot be read. */
typedef const char *convert_fn(struct arena *arena, const char *value);

static bool is_mask(const char *value, size_t n)
{
	return strlen(value) == n && strspn(value, "01") == n;
}

/* names NULL: numbers, first those from the beginning of a month and then those from its end. */
static const char *mask_list(struct arena *arena, const char *value, const char *const *names)
{
	const char *list = "";

	if (strchr(value, '0') == NULL)
		return "";
	for (int i = 0; value[i] != '\0'; i++) {
		if (value[i] != '1')
			continue;
		list = text_join(arena, list, ", ",
				 names != NULL
				     ? names[i]
				     : text_format(arena, "%d", i < MONTH_DAYS ? i + 1 : MONTH_DAYS - 1 - i));
	}
	/* a mask without a day never fits, which a policy cannot say */
	return list[0] != '\0' ? text_format(arena, "[%s]", list) : NULL;
}

static const char *convert_months(struct arena *arena, const char *value)
{
	static const char *const names[] = { "january",	  "february", "march",	  "april",
					     "may",	  "june",     "july",	  "august",
					     "september", "october",  "november", "december" };

	return is_mask(value, NELEM(names)) ? mask_list(arena, value, names) : NULL;
}

static const char *convert_weekdays(struct arena *arena, const char *value)
{
	static const char *const names[] = { "sunday",	 "monday", "tuesday", "wednesday",
					     "thursday", "friday", "saturday" };

	return is_mask(value, NELEM(names)) ? mask_list(arena, value, names) : NULL;
}

static const char *convert_days(struct arena *arena, const char *value)
{
	bool known = is_mask(value, MONTH_DAYS) || is_mask(value, 2 * (size_t)MONTH_DAYS);

	return known ? mask_list(arena, value, NULL) : NULL;
}

/* Of a time in seconds or minutes, the minutes; an end within a minute takes all of it. */
static bool round_minute(unsigned *hour, unsigned *minute, unsigned second, bool is_end)
{
	if (*hour > 24 || *minute > 59 || second > 59 || (*hour == 24 && (*minute > 0 || second > 0)))
		return false;
	*minute += is_end && second > 0;
	*hour += *minute / 60;
	*minute %= 60;
	return true;
}

/* "08:00-17:00", several with commas or blanks between them. */
static const char *convert_times(struct arena *arena, const char *value)
{
	const char *list = "", *blanks = ", ";

	for (value += strspn(value, blanks); *value != '\0'; value += strspn(value, blanks)) {
		unsigned from_h, from_m, to_h, to_m;
		int n = 0;

		if (sscanf(value, "%2u:%2u-%2u:%2u%n", &from_h, &from_m, &to_h, &to_m, &n) != 4 ||
		    strcspn(value, blanks) != (size_t)n || !round_minute(&from_h, &from_m, 0, false) ||
		    !round_minute(&to_h, &to_m, 0, true) || from_h == 24 ||
		    (from_h == to_h && from_m == to_m))
			return NULL;
		if (from_h * 60 + from_m == 0 && to_h == 24) /* the default: all day */
			return "";
		list = text_join(arena, list, ", ",
				 text_format(arena, "\"%02u:%02u-%02u:%02u\"", from_h, from_m, to_h, to_m));
		value += n;
	}
	return list[0] != '\0' ? text_format(arena, "[%s]", list) : NULL;
}

static const char *convert_moment(struct arena *arena, const char *value, bool is_end)
{
	unsigned year, month, day, hour, minute, second;
	int n = 0;

	if (strspn(value, "0123456789") < 14 ||
	    sscanf(value, "%4u%2u%2u%2u%2u%2u%n", &year, &month, &day, &hour, &minute, &second, &n) != 6 ||
	    n != 14 || !round_minute(&hour, &minute, second, is_end))
		return NULL;
	return text_format(arena, "%04u-%02u-%02uT%02u:%02u", year, month, day, hour, minute);
}

/* "20260101000000:20261231235959" */
static const char *convert_period(struct arena *arena, const char *value)
{
	const char *since =
	    strlen(value) == 29 && value[14] == ':' ? convert_moment(arena, value, false) : NULL;
	const char *until = since != NULL ? convert_moment(arena, value + 15, true) : NULL;

	return until != NULL ? text_format(arena, "\"%s/%s\"", since, until) : NULL;
}

static const char *convert_zone(struct arena *arena, const char *value)
{
	return text_is(value, "Local") ? "" : text_is(value, "UTC") ? text_copy(arena, "utc", 3) : NULL;
}

static const struct {
	const char *keyword, *key;
	convert_fn *convert;
} rows[] = {
	{ "ConditionTimeRange", "condition_time_range", convert_period },
	{ "MonthOfYearMask", "month_of_year_mask", convert_months },
	{ "DayOfMonthMask", "day_of_month_mask", convert_days },
	{ "DayOfWeekMask", "day_of_week_mask", convert_weekdays },
	{ "TimeOfDayRange", "time_of_day_range", convert_times },
	{ "TimeZone", "time_zone", convert_zone },
};

bool attls_time_has(const char *keyword)
{
	for (size_t i = 0; i < NELEM(rows); i++)
		if (text_is(rows[i].keyword, keyword))
			return true;
	return false;
}

bool attls_is_time(struct draft *draft, const char *keyword, const char *value)
{
	for (size_t i = 0; i < NELEM(rows); i++)
		if (text_is(rows[i].keyword, keyword))
			return rows[i].convert(&draft->arena, value) != NULL;
	return true;
}

static const char *condition(struct draft *draft, const struct attls_block *block)
{
	const char *list = "";

	for (size_t i = 0; i < NELEM(rows); i++) {
		const struct attls_item *item = attls_find(block, rows[i].keyword);
		const char *value = item != NULL ? rows[i].convert(&draft->arena, item->st.value) : NULL;

		if (value != NULL && value[0] != '\0')
			list = text_join(&draft->arena, list, ", ",
					 text_format(&draft->arena, "%s: %s", rows[i].key, value));
	}
	return list[0] != '\0' ? text_format(&draft->arena, "{ %s }", list)
			       : "{ time_of_day_range: \"00:00-24:00\" }";
}

const char *attls_times(struct draft *draft, const struct attls_block *rule)
{
	const char *list = "";

	for (const struct attls_item *item = rule->items; item != NULL; item = item->next)
		if (item->block != NULL && item->block->kind == ATTLS_TIME)
			list = text_join(&draft->arena, list, ", ", condition(draft, item->block));
	return list[0] != '\0' ? text_format(&draft->arena, "[%s]", list) : NULL;
}
