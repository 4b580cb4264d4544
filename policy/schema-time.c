/*
 * The table of match.time: the parameters of IpTimeCondition, with words for the bits of
 * its masks.
 */
#include "policy/schema-time.h"

#include "policy/schema-table.h"

/* "America/Argentina/ComodRivadavia" has 32 bytes. */
#define ZONE_MAX 64

static const struct word months[] = {
	{ "january", 1u << 0, NULL },
	{ "february", 1u << 1, NULL },
	{ "march", 1u << 2, NULL },
	{ "april", 1u << 3, NULL },
	{ "may", 1u << 4, NULL },
	{ "june", 1u << 5, NULL },
	{ "july", 1u << 6, NULL },
	{ "august", 1u << 7, NULL },
	{ "september", 1u << 8, NULL },
	{ "october", 1u << 9, NULL },
	{ "november", 1u << 10, NULL },
	{ "december", 1u << 11, NULL },
	{ 0 },
};

static const struct word weekdays[] = {
	{ "sunday", 1u << 0, NULL },   { "monday", 1u << 1, NULL },
	{ "tuesday", 1u << 2, NULL },  { "wednesday", 1u << 3, NULL },
	{ "thursday", 1u << 4, NULL }, { "friday", 1u << 5, NULL },
	{ "saturday", 1u << 6, NULL }, { 0 },
};

static const struct field time_fields[] = {
	{ .key = "condition_time_range", .type = FIELD_PERIOD },
	{ .key = "month_of_year_mask",
	  .type = FIELD_SET,
	  AT(policy_time, months),
	  .words = months,
	  .min = 1 },
	{ .key = "day_of_month_mask", .type = FIELD_DAYS, PTR(policy_time, days_of_month) },
	{ .key = "day_of_week_mask",
	  .type = FIELD_SET,
	  AT(policy_time, days_of_week),
	  .words = weekdays,
	  .min = 1 },
	{ .key = "time_of_day_range",
	  .type = FIELD_TIMES,
	  PTR(policy_time, times),
	  COUNT(policy_time, ntimes) },
	{ .key = "time_zone",
	  .type = FIELD_ZONE,
	  PTR(policy_time, zone),
	  MARK(policy_time, zone_mark),
	  .max = ZONE_MAX,
	  .default_text = "local" },
	{ 0 },
};
const struct schema schema_time = { .fields = time_fields,
				    .size = sizeof(struct policy_time),
				    .mark_offset = offsetof(struct policy_time, mark) };
