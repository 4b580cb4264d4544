/*
 * Dates and days: known ones, and a walk over a whole cycle of the calendar that counts
 * days as people do.
 */
#include "policy/calendar.h"

#include "tests/unit/unit.h"

static const struct {
	int64_t year;
	unsigned month, day;
	int64_t number;
	unsigned weekday;
} days[] = {
	{ 1970, 1, 1, 0, 4 },	      { 1969, 12, 31, -1, 3 },	    { 2000, 2, 29, 11016, 2 },
	{ 2000, 3, 1, 11017, 3 },     { 2024, 2, 29, 19782, 4 },    { 2026, 11, 30, 20787, 1 },
	{ 2100, 2, 28, 47540, 0 },    { 2100, 3, 1, 47541, 1 },	    { 1600, 2, 29, -135081, 2 },
	{ 1582, 10, 15, -141427, 5 }, { 9999, 12, 31, 2932896, 5 },
};

static void test_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(days); i++) {
		const struct calendar_date date = { days[i].year, days[i].month, days[i].day };
		const struct calendar_date back = calendar_date(days[i].number);

		assert_int_equal(calendar_day(&date), days[i].number);
		assert_int_equal(calendar_weekday(days[i].number), days[i].weekday);
		assert_int_equal(back.year, days[i].year);
		assert_int_equal(back.month, days[i].month);
		assert_int_equal(back.day, days[i].day);
	}
}

static void test_walk(void **state)
{
	struct calendar_date date = { 1799, 12, 31 };
	int64_t number = calendar_day(&date);

	(void)state;
	for (int64_t i = 0; i < CALENDAR_CYCLE_DAYS + 500; i++) {
		struct calendar_date got;

		if (date.day++ == calendar_month_days(date.year, date.month)) {
			date.day = 1;
			date.month = date.month % 12 + 1;
			date.year += date.month == 1;
		}
		number++;
		got = calendar_date(number);
		if (got.year != date.year || got.month != date.month || got.day != date.day ||
		    calendar_day(&date) != number)
			fail_msg("%lld-%u-%u", (long long)date.year, date.month, date.day);
	}
}

static void test_split(void **state)
{
	static const struct {
		int64_t seconds, day;
		unsigned second;
	} rows[] = {
		{ 0, 0, 0 }, { 86399, 0, 86399 }, { 86400, 1, 0 }, { -1, -1, 86399 }, { -86400, -1, 0 }
	};
	unsigned second;

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		assert_int_equal(calendar_split(rows[i].seconds, &second), rows[i].day);
		assert_int_equal(second, rows[i].second);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
