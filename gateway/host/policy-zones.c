/*
 * Asks the C library for local time week by week, and by halves where it changes within a
 * week. So its rules for zone files count (those for years that a file leaves open, too),
 * and attlsd has no parser of such files.
 */
#include "gateway/host/policy-zones.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define ZONE_FOLDER   "/usr/share/zoneinfo"
#define ZONE_PATH_MAX 256
#define WEEK_S	      (7 * 86400)
/* 2000-01-01 to 2100-01-01. After that, the last known offset counts. */
#define FIRST_S INT64_C(946684800)
#define LAST_S	INT64_C(4102444800)
/* Two changes a year leave room for zones with four (Morocco). */
#define SPANS_MAX 500

struct spans {
	struct zone_span spans[SPANS_MAX];
	size_t n;
};

static int32_t ahead_at(int64_t at_s)
{
	time_t at = (time_t)at_s;
	struct tm tm;

	return localtime_r(&at, &tm) != NULL ? (int32_t)tm.tm_gmtoff : 0;
}

/* The first second from which the offset is that of `high_s` and no longer that of `low_s`. */
static int64_t find_change(int64_t low_s, int64_t high_s)
{
	int32_t before = ahead_at(low_s);

	while (high_s - low_s > 1) {
		int64_t middle_s = low_s + (high_s - low_s) / 2;

		if (ahead_at(middle_s) == before)
			low_s = middle_s;
		else
			high_s = middle_s;
	}
	return high_s;
}

static void add_span(struct spans *spans, int64_t from_s)
{
	if (spans->n < SPANS_MAX)
		spans->spans[spans->n++] =
		    (struct zone_span){ .from_s = from_s, .ahead_s = ahead_at(from_s) };
}

/* No zone changes twice within a week. */
static void read_spans(struct spans *spans)
{
	spans->n = 0;
	add_span(spans, FIRST_S);
	for (int64_t at_s = FIRST_S; at_s < LAST_S; at_s += WEEK_S)
		if (ahead_at(at_s) != ahead_at(at_s + WEEK_S))
			add_span(spans, find_change(at_s, at_s + WEEK_S));
}

static const char *folder(void)
{
	const char *other = getenv("TZDIR");

	return other != NULL && other[0] != '\0' ? other : ZONE_FOLDER;
}

/* The C library takes an unknown zone for UTC. */
static bool is_known(const char *zone)
{
	static const char magic[] = "TZif";
	char path[ZONE_PATH_MAX], start[sizeof(magic) - 1];
	FILE *file;
	bool known;

	if (snprintf(path, sizeof(path), "%s/%s", folder(), zone) >= (int)sizeof(path))
		return false;
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	known = fread(start, sizeof(start), 1, file) == 1 && memcmp(start, magic, sizeof(start)) == 0;
	(void)fclose(file); /* nothing was written */
	return known;
}

static void set_zone(const char *text)
{
	/* the library reads a file again only if the text has changed */
	(void)setenv("TZ", "UTC0", 1);
	tzset();
	if (text != NULL)
		(void)setenv("TZ", text, 1);
	else
		(void)unsetenv("TZ");
	tzset();
}

/* Read the zone of a condition. own: TZ of this process, or NULL. */
static int read_zone(struct spans *spans, const char *zone, const char *own)
{
	char text[ZONE_PATH_MAX];

	if (strcasecmp(zone, "local") == 0) {
		set_zone(own);
	} else {
		if (!is_known(zone))
			return -ENOENT;
		(void)snprintf(text, sizeof(text), ":%s", zone);
		set_zone(text);
	}
	read_spans(spans);
	set_zone(own);
	return 0;
}

static void report(const struct policy_time *time, struct diags *diags)
{
	diags_add(diags, DIAG_ERROR, DIAG_UNKNOWN_ZONE, time->zone_mark,
		  "\"time_zone\": this host has no time zone \"%s\" (%s): use a name that it has, such as "
		  "Europe/Berlin, or install the package tzdata",
		  time->zone, folder());
}

static void warn_over(const struct policy *policy, struct diags *diags)
{
	int64_t now_s = (int64_t)time(NULL);

	for (size_t i = 0; i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		size_t over = 0;

		for (size_t j = 0; j < rule->ntimes; j++)
			over += rule->times[j].until_s != 0 &&
				policy_time_local(&rule->times[j], now_s) >= rule->times[j].until_s;
		if (over > 0 && over == rule->ntimes)
			diags_add(
			    diags, DIAG_WARNING, DIAG_TIME_OVER, rule->times[0].mark,
			    "rules \"%s\" matches no more: \"condition_time_range\" is over; extend it, "
			    "or remove the rule",
			    rule->name);
	}
}

/* The condition before this one, in the order of the rules, that has the same zone already. */
static const struct policy_time *find_read(const struct policy *policy, const struct policy_time *time)
{
	for (size_t i = 0; i < policy->nrules; i++)
		for (size_t j = 0; j < policy->rules[i].ntimes; j++) {
			const struct policy_time *other = &policy->rules[i].times[j];

			if (other == time)
				return NULL;
			if (strcasecmp(other->zone, time->zone) == 0)
				return other;
		}
	return NULL;
}

static int load_one(struct policy *policy, struct policy_time *time, const char *own, struct spans *spans,
		    struct diags *diags)
{
	const struct policy_time *read = find_read(policy, time);

	if (strcasecmp(time->zone, "utc") == 0)
		return 0;
	if (read != NULL) {
		time->spans = read->spans;
		time->nspans = read->nspans;
		return 0;
	}
	if (read_zone(spans, time->zone, own) < 0) {
		report(time, diags);
		return -EINVAL;
	}
	return policy_set_zone(policy, time, spans->spans, spans->n);
}

int policy_zones_load(struct policy *policy, struct diags *diags)
{
	const char *set = getenv("TZ");
	char *own = set != NULL ? strdup(set) : NULL;
	struct spans *spans = malloc(sizeof(*spans));
	int r = spans == NULL || (set != NULL && own == NULL) ? -ENOMEM : 0;

	for (size_t i = 0; i < policy->nrules && r != -ENOMEM; i++)
		for (size_t j = 0; j < policy->rules[i].ntimes && r != -ENOMEM; j++) {
			int one = load_one(policy, &policy->rules[i].times[j], own, spans, diags);

			r = one < 0 ? one : r;
		}
	if (r == 0)
		warn_over(policy, diags);
	free(own);
	free(spans);
	return r;
}
