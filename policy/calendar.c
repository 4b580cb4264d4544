/*
 * Days and dates. Years are counted from March here, so that a leap day is the last day of
 * its year and the months before it have the same lengths in each year.
 */
#include "policy/calendar.h"

#include <stdbool.h>

#define YEARS_OF_CYCLE 400
#define DAYS_OF_YEAR   365
/* From 0000-03-01 to 1970-01-01. */
#define DAYS_TO_EPOCH 719468
/* 1970-01-01 was a Thursday. */
#define EPOCH_WEEKDAY 4

/* Towards minus infinity, other than the operator. */
static int64_t divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* How many leap days the first `years` years after a cycle's beginning end with. */
static int64_t leap_days(int64_t years)
{
	return years / 4 - years / 100 + years / YEARS_OF_CYCLE;
}

/* The day of a year from March on which a month begins; months from 0 for March. */
static int64_t month_start(int64_t month)
{
	static const int64_t starts[] = { 0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337, 366 };

	return starts[month];
}

int64_t calendar_day(const struct calendar_date *date)
{
	int64_t month = (date->month + 9) % 12;
	int64_t year = date->year - (date->month < 3);
	int64_t cycle = divide(year, YEARS_OF_CYCLE);

	year -= cycle * YEARS_OF_CYCLE;
	return cycle * CALENDAR_CYCLE_DAYS + year * DAYS_OF_YEAR + leap_days(year) + month_start(month) +
	       date->day - 1 - DAYS_TO_EPOCH;
}

struct calendar_date calendar_date(int64_t day)
{
	int64_t cycle = divide(day + DAYS_TO_EPOCH, CALENDAR_CYCLE_DAYS);
	int64_t rest = day + DAYS_TO_EPOCH - cycle * CALENDAR_CYCLE_DAYS;
	int64_t year = rest / DAYS_OF_YEAR, month = 11;

	/* leap days make the quotient too large by one at most */
	if (year * DAYS_OF_YEAR + leap_days(year) > rest)
		year--;
	rest -= year * DAYS_OF_YEAR + leap_days(year);
	while (month_start(month) > rest)
		month--;
	return (struct calendar_date){ .year = cycle * YEARS_OF_CYCLE + year + (month >= 10),
				       .month = (unsigned)((month + 2) % 12 + 1),
				       .day = (unsigned)(rest - month_start(month) + 1) };
}

unsigned calendar_weekday(int64_t day)
{
	return (unsigned)(day + EPOCH_WEEKDAY - 7 * divide(day + EPOCH_WEEKDAY, 7));
}

unsigned calendar_month_days(int64_t year, unsigned month)
{
	static const unsigned lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % YEARS_OF_CYCLE == 0;

	return lengths[month - 1] + (month == 2 && leap);
}

int64_t calendar_split(int64_t seconds, unsigned *ret_second_of_day)
{
	int64_t day = divide(seconds, CALENDAR_DAY_S);

	*ret_second_of_day = (unsigned)(seconds - day * CALENDAR_DAY_S);
	return day;
}
