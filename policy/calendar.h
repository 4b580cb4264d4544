/*
 * The Gregorian calendar as arithmetic: worker processes can open no file of time zones,
 * and the C library's functions look for one.
 */
#ifndef ATTLSD_POLICY_CALENDAR_H
#define ATTLSD_POLICY_CALENDAR_H

#include <stdint.h>

#define CALENDAR_DAY_S 86400

/* The calendar repeats after so many days, with its weekdays. */
#define CALENDAR_CYCLE_DAYS 146097

struct calendar_date {
	int64_t year;
	unsigned month; /* 1 to 12 */
	unsigned day;	/* 1 to 31 */
};

/* Days are counted from 1970-01-01, which is 0. */
int64_t calendar_day(const struct calendar_date *date);
struct calendar_date calendar_date(int64_t day);

/* 0: Sunday. */
unsigned calendar_weekday(int64_t day);

unsigned calendar_month_days(int64_t year, unsigned month);

/* The day of a number of seconds, and the seconds since it began. */
int64_t calendar_split(int64_t seconds, unsigned *ret_second_of_day);

#endif
