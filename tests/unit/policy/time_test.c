/*
 * match.time: what is a condition, which moments fulfil it (leap days, ends of months,
 * ranges over midnight, changes of the clocks), and what the checks find.
 */
#include "policy/policy.h"
#include "policy/time-condition.h"

#include <time.h>

#include "tests/unit/policy-text.h"

#define RULE(condition)                                                                                      \
	"rules: { r: { match: { time: " condition " }, tls: server, ftp: standard, backend: legacy } }\n"

/* UTC: "2026-11-30T18:00:00" */
static int64_t moment(const char *text)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (end == NULL || *end != '\0')
		fail_msg("bad row: %s", text);
	return timegm(&tm);
}

#define WORK   "{ day_of_week_mask: [monday, tuesday, wednesday, thursday, friday], time_zone: utc }"
#define NIGHT  "{ day_of_week_mask: [monday, tuesday], time_of_day_range: 21:00-08:00, time_zone: utc }"
#define MONTHS "{ day_of_month_mask: [1, -1], time_zone: utc }"
#define PERIOD "{ condition_time_range: 2026-02-28T22:00/2026-03-01, time_zone: utc }"
#define LEAP   "{ month_of_year_mask: february, day_of_month_mask: 29, time_zone: utc }"
#define TWO                                                                                                  \
	"[ { time_of_day_range: [ 08:00-12:00, 13:00-17:30 ], time_zone: utc },\n"                           \
	"  { day_of_week_mask: sunday, time_zone: UTC } ]"
#define OPEN	"{ condition_time_range: 2026-06-01/.., time_zone: utc }"
#define BEFORE	"{ condition_time_range: ../2026-06-01T00:00, time_zone: utc }"
#define WHOLE	"{ time_of_day_range: 00:00-24:00, time_zone: utc }"
#define EVENING "{ time_of_day_range: 22:00-00:00, time_zone: utc }"
#define THIRD	"{ day_of_month_mask: -31, time_zone: utc }"

static const struct {
	const char *condition, *at;
	bool want;
} moments[] = {
	{ WORK, "2026-11-30T00:00:00", true }, /* a Monday */
	{ WORK, "2026-11-29T23:59:59", false },
	{ WORK, "2026-12-04T23:59:59", true },
	{ WORK, "2026-12-05T00:00:00", false },
	/* each part counts on the day on which it is: RFC 4011, pmSchedTimeOfDayMask */
	{ NIGHT, "2026-11-29T23:59:59", false }, /* Sunday night */
	{ NIGHT, "2026-11-30T00:00:00", true },
	{ NIGHT, "2026-11-30T07:59:59", true },
	{ NIGHT, "2026-11-30T08:00:00", false },
	{ NIGHT, "2026-11-30T20:59:59", false },
	{ NIGHT, "2026-11-30T21:00:00", true },
	{ NIGHT, "2026-12-01T07:59:59", true },
	{ NIGHT, "2026-12-01T23:59:59", true },
	{ NIGHT, "2026-12-02T00:00:00", false },
	{ MONTHS, "2026-02-01T00:00:00", true },
	{ MONTHS, "2026-02-27T12:00:00", false },
	{ MONTHS, "2026-02-28T12:00:00", true },
	{ MONTHS, "2024-02-28T12:00:00", false },
	{ MONTHS, "2024-02-29T23:59:59", true },
	{ MONTHS, "2026-12-31T23:59:59", true },
	{ MONTHS, "2026-12-30T23:59:59", false },
	{ THIRD, "2026-01-01T00:00:00", true },
	{ THIRD, "2026-01-02T00:00:00", false },
	{ THIRD, "2026-02-01T00:00:00", false },
	{ PERIOD, "2026-02-28T21:59:59", false },
	{ PERIOD, "2026-02-28T22:00:00", true },
	{ PERIOD, "2026-03-01T23:59:59", true },
	{ PERIOD, "2026-03-02T00:00:00", false },
	{ LEAP, "2028-02-29T10:00:00", true },
	{ LEAP, "2027-02-28T10:00:00", false },
	{ LEAP, "2027-03-01T10:00:00", false },
	{ TWO, "2026-11-30T07:59:59", false },
	{ TWO, "2026-11-30T08:00:00", true },
	{ TWO, "2026-11-30T12:00:00", false },
	{ TWO, "2026-11-30T12:59:59", false },
	{ TWO, "2026-11-30T17:29:59", true },
	{ TWO, "2026-11-30T17:30:00", false },
	{ TWO, "2026-11-29T03:00:00", true }, /* Sunday */
	{ OPEN, "2026-05-31T23:59:59", false },
	{ OPEN, "2026-06-01T00:00:00", true },
	{ OPEN, "2099-06-01T00:00:00", true },
	{ BEFORE, "2026-05-31T23:59:59", true },
	{ BEFORE, "2026-06-01T00:00:00", false },
	{ WHOLE, "2026-05-31T23:59:59", true },
	{ WHOLE, "2026-06-01T00:00:00", true },
	{ EVENING, "2026-05-31T23:59:59", true },
	{ EVENING, "2026-06-01T00:00:00", false },
	{ "{ time_zone: utc }", "2026-06-01T00:00:00", true },
	{ "{ condition_time_range: 2026-06-01/2026-06-01, time_zone: utc }", "2026-06-01T23:59:59", true },
	{ "{ condition_time_range: 2026-06-01T24:00/2026-06-02T00:01, time_zone: utc }",
	  "2026-06-02T00:00:59", true },
	{ "{ condition_time_range: 2024-02-29/2024-02-29, time_zone: utc }", "2024-02-29T12:00:00", true },
	{ "{ month_of_year_mask: [ december, JANUARY ], time_zone: utc }", "2026-12-31T23:59:59", true },
	{ "{ month_of_year_mask: [ december, JANUARY ], time_zone: utc }", "2027-02-01T00:00:00", false },
};

static void parse_rule(struct parsed *p, const char *condition)
{
	char text[512];

	(void)snprintf(text, sizeof(text), RULE("%s"), condition);
	parse_part(p, text);
	if (p->policy == NULL)
		fail_msg("%s: %s", condition, p->printed);
}

static void test_moments(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(moments); i++) {
		struct policy_flow flow = { .at_s = moment(moments[i].at) };
		struct parsed p;

		parse_rule(&p, moments[i].condition);
		flow.listener = &p.policy->listeners[0];
		if ((policy_match(p.policy, &flow) != NULL) != moments[i].want)
			fail_msg("%s at %s", moments[i].condition, moments[i].at);
		if ((policy_explain_rule(&p.policy->rules[0], &flow) == 0) != moments[i].want)
			fail_msg("%s at %s, explained", moments[i].condition, moments[i].at);
		parsed_done(&p);
	}
}

/* Berlin in 2026: summer time from 29 March, 02:00, to 25 October, 03:00, local time. */
static const struct zone_span berlin[] = {
	{ 1761440400, 3600 }, { 1774746000, 7200 }, { 1792890000, 3600 }, { 1806195600, 7200 }
};

static const struct {
	const char *times, *at;
	bool want;
} changes[] = {
	{ "08:00-09:00", "2026-03-28T07:00:00", true }, /* the day before */
	{ "08:00-09:00", "2026-03-28T06:59:59", false },
	{ "08:00-09:00", "2026-03-29T06:00:00", true },
	{ "08:00-09:00", "2026-03-29T07:00:00", false },
	{ "02:00-03:00", "2026-03-29T00:59:59", false }, /* 01:59:59, then 03:00:00 */
	{ "02:00-03:00", "2026-03-29T01:00:00", false },
	{ "01:00-02:00", "2026-03-29T00:59:59", true },
	{ "03:00-04:00", "2026-03-29T01:00:00", true },
	{ "02:00-03:00", "2026-10-25T00:00:00", true }, /* the hour that comes twice */
	{ "02:00-03:00", "2026-10-25T00:59:59", true },
	{ "02:00-03:00", "2026-10-25T01:00:00", true },
	{ "02:00-03:00", "2026-10-25T01:59:59", true },
	{ "02:00-03:00", "2026-10-25T02:00:00", false },
	{ "08:00-09:00", "2026-10-25T07:00:00", true },
	{ "08:00-09:00", "2026-10-24T06:00:00", true },
	{ "00:00-01:00", "2025-12-31T23:30:00", true },
	{ "00:00-01:00", "2026-06-30T22:30:00", true },
	/* before the first span and after the last */
	{ "08:00-09:00", "2025-01-01T07:00:00", true },
	{ "08:00-09:00", "2027-07-01T06:00:00", true },
};

static void test_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(changes); i++) {
		char condition[128];
		struct parsed p;
		bool got;

		(void)snprintf(condition, sizeof(condition), "{ time_of_day_range: \"%s\" }",
			       changes[i].times);
		parse_rule(&p, condition);
		assert_int_equal(
		    policy_set_zone(p.policy, &p.policy->rules[0].times[0], berlin, NELEM(berlin)), 0);
		got = policy_times_hold(p.policy->rules[0].times, 1, moment(changes[i].at));
		if (got != changes[i].want)
			fail_msg("%s at %s", changes[i].times, changes[i].at);
		parsed_done(&p);
	}
}

static const struct message_case faults[] = {
	{ "no day", RULE("{ day_of_month_mask: 32 }"), "\"day_of_month_mask\" must be days from 1 to 31" },
	{ "day zero", RULE("{ day_of_month_mask: [ 1, 0 ] }"), "not \"0\"" },
	{ "day minus zero", RULE("{ day_of_month_mask: -0 }"), "not \"-0\"" },
	{ "an octal day", RULE("{ day_of_month_mask: 07 }"), "not \"07\"" },
	{ "no weekday", RULE("{ day_of_week_mask: mondya }"), "did you mean \"monday\"" },
	{ "a bit mask", RULE("{ day_of_week_mask: \"0111110\" }"), "must be one of: sunday, monday" },
	{ "no days", RULE("{ day_of_week_mask: [] }"), "\"day_of_week_mask\" is an empty list" },
	{ "no month", RULE("{ month_of_year_mask: 13 }"), "must be one of: january" },
	{ "one time", RULE("{ time_of_day_range: \"08:00\" }"), "must be times of day such as 08:00-17:30" },
	{ "short times", RULE("{ time_of_day_range: 8:00-17:00 }"), "must be times of day" },
	{ "a long hour", RULE("{ time_of_day_range: 08:00-24:01 }"), "must be times of day" },
	{ "from the end", RULE("{ time_of_day_range: 24:00-08:00 }"), "must be times of day" },
	{ "a long minute", RULE("{ time_of_day_range: 08:60-09:00 }"), "must be times of day" },
	{ "an empty time", RULE("{ time_of_day_range: 08:00-08:00 }"), "must be times of day" },
	{ "no end", RULE("{ condition_time_range: 2026-01-01 }"), "must be a beginning and an end" },
	{ "no date", RULE("{ condition_time_range: 2026-02-29/2026-03-01 }"),
	  "must be a beginning and an end" },
	{ "a leap year of its own", RULE("{ condition_time_range: 2100-02-29/.. }"), "must be a beginning" },
	{ "month 13", RULE("{ condition_time_range: 2026-13-01/.. }"), "must be a beginning" },
	{ "day 0", RULE("{ condition_time_range: 2026-01-00/.. }"), "must be a beginning" },
	{ "the old form", RULE("{ condition_time_range: 20260101000000:20260201000000 }"),
	  "must be a beginning" },
	{ "the wrong way round", RULE("{ condition_time_range: 2026-02-02/2026-02-01 }"),
	  "ends before it begins" },
	{ "an empty period", RULE("{ condition_time_range: 2026-02-02T08:00/2026-02-02T08:00 }"),
	  "ends before it begins" },
	{ "a path as zone", RULE("{ time_zone: ../../etc/passwd }"), "\"time_zone\" must be local, utc or" },
	{ "an absolute zone", RULE("{ time_zone: /etc/localtime }"), "\"time_zone\" must be local, utc or" },
	{ "a POSIX zone", RULE("{ time_zone: \"CET-1CEST,M3.5.0\" }"),
	  "\"time_zone\" must be local, utc or" },
	{ "an unknown key", RULE("{ day_of_week: monday }"), "unknown key \"day_of_week\"" },
	{ "no condition", RULE("monday"), "\"time\" must be a list" },
};

static void test_faults(void **state)
{
	(void)state;
	check_messages(faults, NELEM(faults), true);
}

#define DOES "tls: server, ftp: standard, backend: legacy }\n"

static const struct message_case warnings[] = {
	{ "30 February", RULE("{ month_of_year_mask: february, day_of_month_mask: 30 }"),
	  "policy.yaml:1:30: warning: \"time\" of rules \"r\" has a condition that is never fulfilled" },
	{ "30 February, and so never", RULE("{ month_of_year_mask: february, day_of_month_mask: 30 }"),
	  "rules \"r\" can never match, because of its \"time\"" },
	{ "no Monday", RULE("{ condition_time_range: 2026-12-01/2026-12-06, day_of_week_mask: monday }"),
	  "never fulfilled" },
	{ "another hour",
	  RULE("{ condition_time_range: 2026-12-01T08:00/2026-12-01T09:00, time_of_day_range: 10:00-11:00 }"),
	  "never fulfilled" },
	{ "no leap year in time",
	  RULE(
	      "{ month_of_year_mask: february, day_of_month_mask: 29, condition_time_range: 2025-01-01/2027-12-31 }"),
	  "never fulfilled" },
	{ "covered in time, too",
	  "rules:\n"
	  "  a: { priority: 2, match: { time: { day_of_week_mask: [monday, tuesday] } }, " DOES
	  "  b: { match: { time: { day_of_week_mask: monday, time_of_day_range: 08:00-09:00 } }, " DOES,
	  "rules \"b\" can never match: rules \"a\" comes first and covers it" },
	{ "covered by all day",
	  "rules:\n  a: { priority: 2, match: { time: { time_of_day_range: [ 00:00-12:00, 12:00-24:00 ] } }, " DOES
	  "  b: { " DOES,
	  "rules \"b\" can never match" },
	{ "two at the same time",
	  "rules:\n"
	  "  a: { match: { time: { day_of_week_mask: monday } }, " DOES
	  "  b: { match: { time: { time_of_day_range: 08:00-09:00, day_of_week_mask: [sunday, monday] } }, " DOES,
	  "policy.yaml:3:23: warning: \"time\" of rules \"b\" overlaps that of rules \"a\"" },
};

static void test_warnings(void **state)
{
	(void)state;
	check_messages(warnings, NELEM(warnings), false);
}

/* What must not be warned about. */
static const char *const quiet[] = {
	RULE("{ month_of_year_mask: february, day_of_month_mask: 29, day_of_week_mask: tuesday }"),
	RULE("{ condition_time_range: 2097-01-01/.., month_of_year_mask: february, day_of_month_mask: 29, "
	     "day_of_week_mask: sunday }"),
	RULE("{ condition_time_range: 2026-12-01T23:59/2026-12-02T00:01, time_of_day_range: 00:00-00:01 }"),
	"rules:\n  a: { priority: 2, match: { time: { day_of_week_mask: monday } }, " DOES "  b: { " DOES,
	"rules:\n  a: { match: { time: { time_of_day_range: 08:00-17:00 } }, " DOES
	"  b: { match: { time: { time_of_day_range: 17:00-08:00 } }, " DOES,
	"rules:\n  a: { match: { time: { day_of_week_mask: monday }, remote_addr: 10.0.0.0/8 }, " DOES
	"  b: { match: { time: { day_of_week_mask: monday }, remote_addr: 11.0.0.0/8 }, " DOES,
	"rules:\n  a: { priority: 2, match: { time: { day_of_week_mask: monday, time_zone: utc } }, " DOES
	"  b: { match: { time: { day_of_week_mask: monday } }, " DOES,
};

static void test_quiet(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(quiet); i++) {
		struct parsed p;

		parse_part(&p, quiet[i]);
		if (p.printed[0] != '\0')
			fail_msg("%s: %s", quiet[i], p.printed);
		parsed_done(&p);
	}
}

/* Random conditions: "covers" and "meets" must agree with what single moments say. */
static struct policy_time random_time(struct time_of_day_range *range)
{
	struct policy_time time = { .zone = "utc" };

	if (rand() % 2 == 0)
		time.months = (unsigned)rand() & 0xfff;
	if (rand() % 2 == 0)
		time.days_of_week = (unsigned)rand() & 0x7f;
	if (rand() % 3 == 0)
		time.days_of_month = (uint64_t)rand() << 31 | (uint64_t)rand();
	if (rand() % 3 == 0)
		time.since_s = moment("2026-01-01T00:00:00") + rand() % (400 * 86400);
	if (rand() % 3 == 0)
		time.until_s = moment("2026-06-01T00:00:00") + rand() % (400 * 86400);
	if (rand() % 2 == 0) {
		*range = (struct time_of_day_range){ .from = (uint16_t)(rand() % 1440),
						     .to = (uint16_t)(1 + rand() % 1440) };
		time.times = range;
		time.ntimes = range->from != range->to;
	}
	return time;
}

static void test_walk(void **state)
{
	(void)state;
	srand(21);
	for (unsigned round = 0; round < 400; round++) {
		struct time_of_day_range range_a, range_b;
		const struct policy_time a = random_time(&range_a), b = random_time(&range_b);
		bool covers = policy_times_cover(&a, 1, &b, 1), meets = policy_time_meets(&a, &b);

		for (unsigned i = 0; i < 2000; i++) {
			int64_t at_s = moment("2025-06-01T00:00:00") + rand() % (1000 * 86400);
			bool in_a = policy_times_hold(&a, 1, at_s), in_b = policy_times_hold(&b, 1, at_s);

			if (covers && in_b && !in_a)
				fail_msg("round %u: not covered at %lld", round, (long long)at_s);
			if (!meets && in_a && in_b)
				fail_msg("round %u: both at %lld", round, (long long)at_s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moments), cmocka_unit_test(test_changes),
		cmocka_unit_test(test_faults),	cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_quiet),	cmocka_unit_test(test_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
