/*
 * Adds up the pages of workers. A counter of a worker enters the sums through `seen`,
 * the most that its page has shown, so not even a worker that takes numbers back makes
 * a sum smaller. A page with a number that cannot be is not read any more.
 */
#include "gateway/monitor/totals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/shared.h"

/* More than one worker can count: 2^56 bytes take two years at 10 Gbit/s. */
#define WORKER_MAX (UINT64_C(1) << 56)
#define SUM_MAX	   ((uint64_t)INT64_MAX)
/* The year 9999: later times are nonsense. */
#define TIME_MAX_S UINT64_C(253402300799)

int counted_open(struct counted *counted)
{
	counted->live = shared_map(sizeof(*counted->live));
	counted->seen = calloc(1, sizeof(*counted->seen));
	return counted->live == NULL || counted->seen == NULL ? -ENOMEM : 0;
}

void counted_close(struct counted *counted)
{
	shared_unmap(counted->live, sizeof(*counted->live));
	free(counted->seen);
	*counted = (struct counted){ .live = NULL };
}

int counted_lend(const struct counted *counted, bool lend)
{
	return shared_lend(counted->live, sizeof(*counted->live), lend);
}

size_t totals_place(struct totals *totals, enum count_kind kind, const char *first, const char *second)
{
	struct totals_names *names = &totals->names[kind];
	size_t place = 0;

	for (; place < names->n; place++)
		if (strncmp(names->items[place].first, first, TOTALS_NAME_MAX - 1) == 0 &&
		    strncmp(names->items[place].second, second, TOTALS_NAME_MAX - 1) == 0)
			return place;
	if (place == COUNT_NAMES_OTHER)
		return COUNT_NAMES_OTHER;
	(void)snprintf(names->items[place].first, TOTALS_NAME_MAX, "%s", first);
	(void)snprintf(names->items[place].second, TOTALS_NAME_MAX, "%s", second);
	names->n++;
	return place;
}

static void map_name(struct totals *totals, struct totals_map *map, enum count_kind kind, size_t index,
		     const char *first, const char *second)
{
	if (index < COUNT_NAMES_OTHER)
		map->places[kind][index] = (uint8_t)totals_place(totals, kind, first, second);
}

/* Certificates have labels, or else their numbers in the key ring. */
static void map_keyrings(struct totals *totals, const struct policy *policy, struct totals_map *map)
{
	size_t index = 0;
	char number[24];

	for (size_t i = 0; i < policy->nkeyrings; i++) {
		const struct policy_keyring *keyring = &policy->keyrings[i];

		map_name(totals, map, COUNT_KIND_KEYRING, i, keyring->name, "");
		for (size_t j = 0; j < keyring->ncertificates; j++) {
			const char *label = keyring->certificates[j].label;

			(void)snprintf(number, sizeof(number), "%zu", j + 1);
			map_name(totals, map, COUNT_KIND_CERTIFICATE, index++, keyring->name,
				 label != NULL ? label : number);
		}
	}
}

void totals_map(struct totals *totals, const struct policy *policy, struct totals_map *ret_map)
{
	memset(ret_map, COUNT_NAMES_OTHER, sizeof(*ret_map));
	for (size_t i = 0; i < policy->nlisteners; i++)
		map_name(totals, ret_map, COUNT_KIND_LISTENER, i, policy->listeners[i].name, "");
	for (size_t i = 0; i < policy->nrules; i++)
		map_name(totals, ret_map, COUNT_KIND_RULE, i, policy->rules[i].name, "");
	for (size_t i = 0; i < policy->nbackends; i++)
		map_name(totals, ret_map, COUNT_KIND_BACKEND, i, policy->backends[i].name, "");
	map_keyrings(totals, policy, ret_map);
}

static uint64_t at_most(uint64_t value, uint64_t max)
{
	return value < max ? value : max;
}

void totals_add_cell(struct counters *sum, size_t cell, uint64_t value)
{
	/* both are below 2^63 */
	count_write(sum, cell, at_most(count_read(sum, cell) + at_most(value, SUM_MAX), SUM_MAX));
}

bool totals_only_grows(enum count_type type)
{
	return type == COUNT_TYPE_COUNTER || type == COUNT_TYPE_HISTOGRAM || type == COUNT_TYPE_SPARSE;
}

/* Of numbers that only grow, one that cannot be makes the whole page worthless. */
static void doubt(struct counted *counted, const struct count_family_info *family)
{
	if (counted->doubt == NULL)
		counted->doubt = family;
	counted->frozen = counted->frozen || totals_only_grows(family->type);
}

/* What cannot be: more than a worker can count, less than before, a number below zero, a time without end. */
static void judge(struct counted *counted, const struct count_family_info *family, size_t cell)
{
	uint64_t value = count_read(counted->live, cell);
	uint64_t max = family->type == COUNT_TYPE_TIME	  ? TIME_MAX_S
		       : family->type == COUNT_TYPE_GAUGE ? SUM_MAX - 1
							  : WORKER_MAX;

	if (value > max || (totals_only_grows(family->type) && value < count_read(counted->seen, cell)))
		doubt(counted, family);
}

static void judge_sparse(struct counted *counted, enum count_family number)
{
	uint8_t values[COUNT_LABELS_MAX];
	size_t cell;

	for (size_t place = 0; place < COUNT_PLACES; place++) {
		bool exists = count_sparse_place(counted->live, number, place, values, &cell);

		if ((!exists && count_read(counted->live, cell - 1) != 0) ||
		    count_read(counted->live, cell) > WORKER_MAX)
			doubt(counted, &count_families[number]);
	}
}

static void judge_page(struct counted *counted)
{
	for (size_t i = 0; i < COUNT_FAMILIES; i++) {
		const struct count_family_info *family = &count_families[i];

		if (family->type == COUNT_TYPE_SPARSE) {
			judge_sparse(counted, (enum count_family)i);
			continue;
		}
		for (size_t cell = family->at; cell < family->at + family->cells; cell++)
			judge(counted, family, cell);
	}
}

static void lift(struct counters *seen, size_t cell, uint64_t value)
{
	value = at_most(value, WORKER_MAX);
	if (value > count_read(seen, cell))
		count_write(seen, cell, value);
}

/* The last place is for all others, in every page. */
static size_t sparse_cell(struct counters *to, enum count_family family, size_t place,
			  const uint8_t values[static COUNT_LABELS_MAX])
{
	return place == COUNT_PLACES - 1 ? count_families[family].at + 2 * place + 1
					 : count_sparse_cell(to, family, values);
}

void totals_lift(struct counters *to, const struct counters *from)
{
	uint8_t values[COUNT_LABELS_MAX];
	size_t cell;

	for (size_t i = 0; i < COUNT_FAMILIES; i++) {
		const struct count_family_info *family = &count_families[i];

		if (family->type == COUNT_TYPE_SPARSE) {
			for (size_t place = 0; place < COUNT_PLACES; place++)
				if (count_sparse_place(from, (enum count_family)i, place, values, &cell))
					lift(to, sparse_cell(to, (enum count_family)i, place, values),
					     count_read(from, cell));
		} else if (totals_only_grows(family->type)) {
			for (cell = family->at; cell < family->at + family->cells; cell++)
				lift(to, cell, count_read(from, cell));
		}
	}
}

/* Look at the page of a worker. */
static void look(struct counted *counted)
{
	judge_page(counted);
	if (!counted->frozen)
		totals_lift(counted->seen, counted->live);
}

static void add_sparse(struct counters *sum, const struct counters *from, enum count_family family)
{
	uint8_t values[COUNT_LABELS_MAX];
	size_t cell;

	for (size_t place = 0; place < COUNT_PLACES; place++)
		if (count_sparse_place(from, family, place, values, &cell) && count_read(from, cell) > 0)
			totals_add_cell(sum, sparse_cell(sum, family, place, values), count_read(from, cell));
}

/* Where a number of a worker's page goes, whose first label may be a name of its policy. */
static size_t place_of(const struct count_family_info *family, const struct totals_map *map, size_t cell)
{
	size_t block = family->cells / count_values(family->labels[0]);
	size_t offset = cell - family->at;
	enum count_kind kind;

	if (map == NULL || !count_is_names(family->labels[0], &kind))
		return cell;
	return family->at + map->places[kind][offset / block] * block + offset % block;
}

/* Add what only grows. map: by whose order `from` is; NULL: by that of the sums. */
static void add_counters(struct counters *sum, const struct counters *from, const struct totals_map *map)
{
	for (size_t i = 0; i < COUNT_FAMILIES; i++) {
		const struct count_family_info *family = &count_families[i];

		if (family->type == COUNT_TYPE_SPARSE)
			add_sparse(sum, from, (enum count_family)i);
		else if (totals_only_grows(family->type))
			for (size_t cell = family->at; cell < family->at + family->cells; cell++)
				if (count_read(from, cell) > 0)
					totals_add_cell(sum, place_of(family, map, cell),
							count_read(from, cell));
	}
}

/* A number below zero would be a bug, or a lie. */
static void add_gauge(struct counters *sum, size_t to, uint64_t value, size_t sessions)
{
	if (value < SUM_MAX)
		totals_add_cell(sum, to, at_most(value, sessions));
}

static void add_time(struct counters *sum, size_t to, uint64_t value)
{
	uint64_t before = count_read(sum, to);

	if (value != 0 && value <= TIME_MAX_S && (before == 0 || value < before))
		count_write(sum, to, value);
}

void totals_bury(struct totals *totals, struct counted *counted, const struct totals_map *map)
{
	look(counted);
	add_counters(&totals->dead, counted->seen, map);
	memset(counted->seen, 0, sizeof(*counted->seen));
	memset(counted->live, 0, sizeof(*counted->live));
	counted->doubt = NULL;
	counted->frozen = false;
}

static const struct count_family_info told = { .name = "" };

const char *totals_doubt(struct counted *counted)
{
	const struct count_family_info *family = counted->doubt;

	if (family == NULL || family == &told)
		return NULL;
	counted->doubt = &told;
	return family->name;
}

void totals_add(struct counters *sum, struct counted *counted, const struct totals_map *map, size_t sessions,
		bool current)
{
	look(counted);
	add_counters(sum, counted->seen, map);
	for (size_t i = 0; i < COUNT_FAMILIES && !counted->frozen; i++) {
		const struct count_family_info *family = &count_families[i];

		if (family->type != COUNT_TYPE_GAUGE && (family->type != COUNT_TYPE_TIME || !current))
			continue;
		for (size_t cell = family->at; cell < family->at + family->cells; cell++) {
			uint64_t value = count_read(counted->live, cell);

			if (value != 0 && family->type == COUNT_TYPE_GAUGE)
				add_gauge(sum, place_of(family, map, cell), value, sessions);
			else if (value != 0)
				add_time(sum, place_of(family, map, cell), value);
		}
	}
}

void totals_add_page(struct counters *sum, const struct counters *from)
{
	add_counters(sum, from, NULL);
}

void totals_add_own(struct counters *sum, const struct totals *totals)
{
	add_counters(sum, &totals->dead, NULL);
	add_counters(sum, count_page, NULL);
}

void totals_add_keys(struct counters *sum, const struct keeper_link *keeper)
{
	const struct key_counts *counts;

	for (size_t i = 0; (counts = keeper_counts(keeper, i)) != NULL; i++) {
		totals_add_cell(sum, COUNT_AT_SIGNATURES + COUNT_SIGNATURE_MADE,
				at_most(counts->signatures, WORKER_MAX));
		totals_add_cell(sum, COUNT_AT_SIGNATURES + COUNT_SIGNATURE_REFUSED,
				at_most(counts->refused, WORKER_MAX));
		totals_add_cell(sum, COUNT_AT_SIGNATURES + COUNT_SIGNATURE_FAILED,
				at_most(counts->failed, WORKER_MAX));
	}
}
