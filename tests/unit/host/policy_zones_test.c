/*
 * Zones of the time zone database against changes of clocks that are known from elsewhere
 * (laws, and the tables of the database). A worker that starts in winter has them all.
 */
#include "gateway/host/policy-zones.h"

#include <time.h>

#include "tests/unit/policy-text.h"

static const struct {
	const char *zone, *at; /* UTC */
	int ahead_min;
} rows[] = {
	{ "Europe/Berlin", "2026-03-29T00:59:59", 60 },
	{ "Europe/Berlin", "2026-03-29T01:00:00", 120 },
	{ "Europe/Berlin", "2026-10-25T00:59:59", 120 },
	{ "Europe/Berlin", "2026-10-25T01:00:00", 60 },
	{ "Europe/Berlin", "2060-07-01T00:00:00", 120 }, /* by the rule for later years */
	{ "America/New_York", "2026-03-08T06:59:59", -300 },
	{ "America/New_York", "2026-03-08T07:00:00", -240 },
	{ "America/New_York", "2026-11-01T05:59:59", -240 },
	{ "America/New_York", "2026-11-01T06:00:00", -300 },
	{ "Australia/Lord_Howe", "2026-04-04T14:59:59", 660 }, /* half an hour */
	{ "Australia/Lord_Howe", "2026-04-04T15:00:00", 630 },
	{ "Asia/Kolkata", "2026-07-01T00:00:00", 330 },
	{ "Asia/Kathmandu", "2026-07-01T00:00:00", 345 },
	{ "Pacific/Apia", "2011-12-30T09:59:59", -600 }, /* a day that was left out */
	{ "Pacific/Apia", "2011-12-30T10:00:00", 840 },
	{ "utc", "2026-07-01T00:00:00", 0 },
	{ "Etc/UTC", "2026-07-01T00:00:00", 0 },
	{ "local", "2026-07-01T00:00:00", -240 }, /* see below */
};

static int64_t moment(const char *text)
{
	struct tm tm = { 0 };

	assert_non_null(strptime(text, "%Y-%m-%dT%H:%M:%S", &tm));
	return timegm(&tm);
}

static int load(struct parsed *p, const char *zone)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
		       "rules: { r: { match: { time: { time_zone: %s } }, tls: server, ftp: standard, "
		       "backend: legacy } }\n",
		       zone);
	parse_part(p, text);
	assert_non_null(p->policy);
	return policy_zones_load(p->policy, &p->diags);
}

static void test_zones(void **state)
{
	(void)state;
	assert_int_equal(setenv("TZ", "America/New_York", 1), 0);
	tzset();
	for (size_t i = 0; i < NELEM(rows); i++) {
		int64_t at_s = moment(rows[i].at);
		int ahead_min;
		struct parsed p;

		assert_int_equal(load(&p, rows[i].zone), 0);
		ahead_min = (int)(policy_time_local(&p.policy->rules[0].times[0], at_s) - at_s) / 60;
		if (ahead_min != rows[i].ahead_min)
			fail_msg("%s at %s: %d", rows[i].zone, rows[i].at, ahead_min);
		parsed_done(&p);
	}
	/* the process has its own zone again */
	assert_string_equal(getenv("TZ"), "America/New_York");
	assert_int_equal(timezone, 5 * 3600);
}

/* Every minute of a year in which the clocks change twice, against the C library. */
static void test_year(void **state)
{
	int64_t first_s = moment("2026-01-01T00:00:00");
	struct parsed p;

	(void)state;
	assert_int_equal(load(&p, "Europe/Berlin"), 0);
	assert_int_equal(setenv("TZ", "Europe/Berlin", 1), 0);
	tzset();
	for (int64_t at_s = first_s; at_s < first_s + 365 * 86400; at_s += 60) {
		time_t at = (time_t)at_s;
		struct tm tm;

		assert_non_null(localtime_r(&at, &tm));
		if (policy_time_local(&p.policy->rules[0].times[0], at_s) != at_s + tm.tm_gmtoff)
			fail_msg("at %lld", (long long)at_s);
	}
	parsed_done(&p);
}

static void test_unknown(void **state)
{
	static const char *const zones[] = { "Europe/Atlantis", "Europe" };

	(void)state;
	for (size_t i = 0; i < NELEM(zones); i++) {
		struct parsed p;

		assert_int_equal(load(&p, zones[i]), -EINVAL);
		assert_int_equal(p.diags.nerrors, 1);
		assert_int_equal(p.diags.items[p.diags.nitems - 1].code, DIAG_UNKNOWN_ZONE);
		parsed_done(&p);
	}
}

static void test_over(void **state)
{
	struct parsed p;
	size_t n = 0;

	(void)state;
	parse_part(&p,
		   "rules:\n"
		   "  gone: { match: { time: { condition_time_range: 2020-01-01/2020-12-31 } }, tls: server, "
		   "ftp: standard, backend: legacy }\n"
		   "  here: { match: { time: [ { condition_time_range: ../2020-12-31 }, "
		   "{ day_of_week_mask: monday } ] }, tls: server, ftp: standard, backend: legacy }\n");
	assert_non_null(p.policy);
	assert_int_equal(policy_zones_load(p.policy, &p.diags), 0);
	for (size_t i = 0; i < p.diags.nitems; i++)
		if (p.diags.items[i].code == DIAG_TIME_OVER) {
			assert_int_equal(p.diags.items[i].mark.line, 2);
			n++;
		}
	assert_int_equal(n, 1);
	parsed_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zones),
		cmocka_unit_test(test_year),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
