/*
 * Parses match.time: days of months, times of day, periods and zones. Whether a zone exists
 * is found out later, where files can be read.
 */
#include "policy/field.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "policy/calendar.h"
#include "policy/member.h"
#include "policy/time-condition.h"

#define MINUTE_S    60
#define HOUR_MIN    60
#define DAY_MINUTES 1440
#define YEAR_FIRST  1970
#define YEAR_LAST   9999

/* A number of exactly so many digits; -1: it is none. */
static int digits(const char *text, size_t n)
{
	int value = 0;

	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = 10 * value + (text[i] - '0');
	}
	return value;
}

/* "1" to "31", "-1" to "-31": the bit of the mask, or -1. */
static int parse_day(const char *text, size_t len)
{
	bool from_end = len > 0 && text[0] == '-';
	size_t n = len - from_end;
	int day = n == 1 || n == 2 ? digits(text + from_end, n) : -1;

	if (day < 1 || day > TIME_DAYS_MAX || text[from_end] == '0')
		return -1;
	return from_end ? TIME_DAY_FROM_END + day - 1 : day - 1;
}

void field_parse_days(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	uint64_t *mask = member_of(object, f->offset);

	if (!field_is_list(ctx, f, n, false))
		return;
	for (const struct node *item = node_list_first(n); item != NULL; item = node_list_next(n, item)) {
		int bit;

		if (!field_is_scalar(ctx, f, item))
			continue;
		bit = parse_day(item->text, item->len);
		if (bit < 0)
			parse_error(ctx, DIAG_BAD_TIME, item->mark,
				    "\"%s\" must be days from 1 to 31, or from -1 (the last day of the "
				    "month) to -31, not \"%.60s\"",
				    f->key, item->text);
		else
			*mask |= UINT64_C(1) << bit;
	}
}

/* "HH:MM" up to 24:00: the minute of the day, or -1. */
static int parse_minute(const char *text, size_t len)
{
	int hour = len == 5 && text[2] == ':' ? digits(text, 2) : -1;
	int minute = hour >= 0 ? digits(text + 3, 2) : -1;

	if (minute < 0 || minute >= HOUR_MIN || hour * HOUR_MIN + minute > DAY_MINUTES)
		return -1;
	return hour * HOUR_MIN + minute;
}

/* "HH:MM-HH:MM" */
static bool parse_time_of_day(const char *text, size_t len, struct time_of_day_range *ret)
{
	int from = len == 11 && text[5] == '-' ? parse_minute(text, 5) : -1;
	int to = from >= 0 ? parse_minute(text + 6, 5) : -1;

	if (to < 0 || from == DAY_MINUTES || from == to)
		return false;
	*ret = (struct time_of_day_range){ .from = (uint16_t)from, .to = (uint16_t)to };
	return true;
}

void field_parse_times(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	struct time_of_day_range *ranges;
	size_t i = 0;

	if (!field_is_list(ctx, f, n, false))
		return;
	ranges = arena_alloc(ctx->arena, node_list_count(n), sizeof(*ranges));
	if (ranges == NULL)
		return;
	for (const struct node *item = node_list_first(n); item != NULL; item = node_list_next(n, item)) {
		if (!field_is_scalar(ctx, f, item))
			continue;
		if (parse_time_of_day(item->text, item->len, &ranges[i]))
			i++;
		else
			parse_error(ctx, DIAG_BAD_TIME, item->mark,
				    "\"%s\" must be times of day such as 08:00-17:30 or 22:00-06:00, up to "
				    "24:00, not \"%.60s\"",
				    f->key, item->text);
	}
	*(struct time_of_day_range **)member_of(object, f->offset) = ranges;
	*(size_t *)member_of(object, f->count_offset) = i;
}

/* "YYYY-MM-DD" or "YYYY-MM-DDTHH:MM": local seconds since 1970. is_end: a date alone is the end of its day.
 */
static bool parse_moment(const char *text, size_t len, bool is_end, int64_t *ret_s)
{
	bool dated = len >= 10 && text[4] == '-' && text[7] == '-';
	int year = dated ? digits(text, 4) : -1, month = dated ? digits(text + 5, 2) : -1;
	int day = dated ? digits(text + 8, 2) : -1;
	int minute = is_end ? DAY_MINUTES : 0;
	struct calendar_date date;

	if (len == 16 && dated && (text[10] == 'T' || text[10] == 't'))
		minute = parse_minute(text + 11, 5);
	else if (len != 10)
		return false;
	if (year < YEAR_FIRST || year > YEAR_LAST || month < 1 || month > 12 || day < 1 || minute < 0 ||
	    (unsigned)day > calendar_month_days(year, (unsigned)month))
		return false;
	date = (struct calendar_date){ .year = year, .month = (unsigned)month, .day = (unsigned)day };
	*ret_s = calendar_day(&date) * CALENDAR_DAY_S + (int64_t)minute * MINUTE_S;
	return true;
}

static bool is_open(const char *text, size_t len)
{
	return len == 2 && memcmp(text, "..", 2) == 0;
}

void field_parse_period(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	struct policy_time *time = object;
	const char *slash;
	size_t len;
	bool sound;

	if (!field_is_scalar(ctx, f, n))
		return;
	slash = memchr(n->text, '/', n->len);
	len = slash != NULL ? (size_t)(slash - n->text) : 0;
	sound = slash != NULL &&
		(is_open(n->text, len) || parse_moment(n->text, len, false, &time->since_s)) &&
		(is_open(slash + 1, n->len - len - 1) ||
		 parse_moment(slash + 1, n->len - len - 1, true, &time->until_s));
	if (!sound)
		parse_error(ctx, DIAG_BAD_TIME, n->mark,
			    "\"%s\" must be a beginning and an end such as 2026-12-24/2026-12-31 or "
			    "2026-12-24T18:00/.. , from the year 1970 on, not \"%.60s\"",
			    f->key, n->text);
	else if (time->until_s != 0 && time->until_s <= time->since_s)
		parse_error(ctx, DIAG_BAD_TIME, n->mark, "\"%s\" ends before it begins: \"%.60s\"", f->key,
			    n->text);
}

/* A name of the time zone database, which is the path of a file. */
static bool is_zone(const char *text, size_t len)
{
	if (len == 0 || text[0] == '/' || text[len - 1] == '/')
		return false;
	for (size_t i = 0; i < len; i++) {
		char letter = (char)(text[i] | 0x20);

		if ((letter < 'a' || letter > 'z') && (text[i] < '0' || text[i] > '9') &&
		    (text[i] == '\0' || strchr("_+-/", text[i]) == NULL))
			return false;
		if (text[i] == '/' && text[i - 1] == '/')
			return false;
	}
	return true;
}

void field_parse_zone(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	if (!field_is_scalar(ctx, f, n))
		return;
	if (n->len > f->max || !is_zone(n->text, n->len))
		parse_error(ctx, DIAG_BAD_TIME, n->mark,
			    "\"%s\" must be local, utc or a time zone such as Europe/Berlin, not \"%.60s\"",
			    f->key, n->text);
	else
		*(const char **)member_of(object, f->offset) = arena_strndup(ctx->arena, n->text, n->len);
}
