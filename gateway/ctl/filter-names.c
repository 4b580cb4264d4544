/*
 * attlsd counts for each rule, listener and backend, so CTL_METRICS has the names of all its policies, and
 * the answers to other questions need not have them.
 */
#include "gateway/ctl/filter-names.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/view/client.h"
#include "gateway/view/metrics.h"

/* A message names so many bytes of names. */
#define NAMES_MAX 240

/* Returns the name at this place, "" after the last. */
static const char *name_at(const struct metrics *metrics, enum count_kind kind, size_t place)
{
	return place < COUNT_NAMES_OTHER ? metrics->names[kind][place].first : "";
}

static bool is_known(const struct metrics *metrics, enum count_kind kind, const char *name)
{
	size_t place = 0;

	for (; name_at(metrics, kind, place)[0] != '\0'; place++)
		if (strcmp(name_at(metrics, kind, place), name) == 0)
			return true;
	return place == COUNT_NAMES_OTHER; /* there are more, without a place */
}

/* As many as fit. */
static void list_names(const struct metrics *metrics, enum count_kind kind, char ret[static NAMES_MAX])
{
	const char *name;
	size_t len = 0;

	(void)snprintf(ret, NAMES_MAX, "none");
	for (size_t place = 0; (name = name_at(metrics, kind, place))[0] != '\0'; place++) {
		if (len + strlen(name) + sizeof(", ...") > NAMES_MAX - 2) {
			(void)snprintf(ret + len, NAMES_MAX - len, ", ...");
			return;
		}
		len += (size_t)snprintf(ret + len, NAMES_MAX - len, "%s%s", place > 0 ? ", " : "", name);
	}
}

int filter_names_check(const struct target *target, const struct session_filter *filter)
{
	const struct {
		const char *what, *name;
		enum count_kind kind;
	} given[] = {
		{ "rule", filter->rule, COUNT_KIND_RULE },
		{ "listener", filter->listener, COUNT_KIND_LISTENER },
		{ "backend", filter->backend, COUNT_KIND_BACKEND },
	};
	struct metrics *metrics;
	char names[NAMES_MAX];
	int r = 0;

	if (filter->rule[0] == '\0' && filter->listener[0] == '\0' && filter->backend[0] == '\0')
		return 0;
	metrics = calloc(1, sizeof(*metrics));
	if (metrics == NULL)
		return client_fault(target, "not enough memory");
	if (client_read(target, CTL_METRICS, metrics_take, metrics) < 0) {
		free(metrics);
		return -1;
	}
	for (size_t i = 0; i < NELEM(given); i++) {
		if (given[i].name[0] == '\0' || is_known(metrics, given[i].kind, given[i].name))
			continue;
		list_names(metrics, given[i].kind, names);
		r = client_fault(target, "no policy of this attlsd has had a %s %s; the names are: %s",
				 given[i].what, given[i].name, names);
	}
	free(metrics);
	return r;
}
