/*
 * Answers `attlsctl metrics`: adds up the pages of all workers, adds what only the
 * monitor knows, and sends the numbers in pieces, as fast as the reader reads.
 */
#include "gateway/monitor/ctl-metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <utlist.h>

#include "gateway/base/log.h"
#include "gateway/base/readiness.h"
#include "gateway/monitor/child-pick.h"

struct ctl_metrics {
	struct counters sum;
	const struct totals *totals; /* names come, but do not go */
	enum count_kind kind;	     /* of the next name */
	size_t name;
	size_t cell; /* the next one */
};

static void set(struct counters *sum, enum count_family family, size_t index, uint64_t value)
{
	count_write(sum, count_families[family].at + index, value);
}

/* One of `state`, 0 in the others. */
static void set_states(struct counters *sum, const struct answer_gateway *gateway)
{
	size_t state = gateway->draining    ? COUNT_STATE_DRAINING
		       : gateway->reloading ? COUNT_STATE_RELOADING
					    : COUNT_STATE_SERVING;

	set(sum, COUNT_STATE, state, 1);
}

/* The states of the workers have been added up. */
static void set_readiness(struct counters *sum, const struct answer_gateway *gateway)
{
	uint32_t starting = (uint32_t)count_read(sum, COUNT_AT_WORKERS);
	uint32_t serving = (uint32_t)count_read(sum, COUNT_AT_WORKERS + WORKER_SERVES - WORKER_STARTS);

	set(sum, COUNT_READY, readiness_of(gateway, starting, serving) - READINESS_STARTING, 1);
	set(sum, COUNT_MAINTENANCE, 0, gateway->maintenance);
}

static void bump(struct counters *sum, size_t cell, uint64_t n)
{
	count_write(sum, cell, count_read(sum, cell) + n);
}

static void set_worker(struct counters *sum, const struct child *child)
{
	uint32_t transfers = *child->relays; /* the worker writes it */

	bump(sum, COUNT_AT_WORKERS + child_state(child) - WORKER_STARTS, 1);
	bump(sum, COUNT_AT_RUNNING, transfers < child->nsessions ? transfers : child->nsessions);
}

static void set_facts(struct counters *sum, const struct children *children, const struct older_set *older,
		      const struct answer_gateway *gateway)
{
	uint64_t now_s = (uint64_t)time(NULL);
	const struct generation *generation;

	set(sum, COUNT_BUILD, 0, 1);
	set(sum, COUNT_NODE, 0, 1);
	set(sum, COUNT_START_TIME, 0, now_s - gateway->up_ms / 1000);
	set(sum, COUNT_GENERATION, 0, gateway->generation);
	set(sum, COUNT_POLICY_TIME, 0, now_s - gateway->policy_ms / 1000);
	set(sum, COUNT_RELOAD_FAILED, 0, gateway->failure[0] != '\0' && !gateway->draining);
	set(sum, COUNT_SESSION_LIMIT, 0, gateway->limit);
	set(sum, COUNT_REPLACED, 0, older->n);
	set(sum, COUNT_REPLACED_SESSIONS, 0, older_sessions(older));
	set_states(sum, gateway);
	DL_FOREACH (children->head, generation) {
		bump(sum, COUNT_AT_GENERATIONS, 1);
		for (size_t i = 0; i < generation->n; i++)
			if (generation->workers[i].pid != 0)
				set_worker(sum, &generation->workers[i]);
	}
	set_readiness(sum, gateway);
}

/* Those that the policy in force has; they are COUNT_TYPE_MAYBE, so that others have no numbers. */
static void set_servers(struct counters *sum, const struct backends *backends)
{
	const struct backend_server *server;

	DL_FOREACH (backends->head, server) {
		if (!server->in_policy || server->place == COUNT_NAMES_OTHER)
			continue;
		set(sum, COUNT_SERVER_UP, server->place, 1 + !server->health.down);
		set(sum, COUNT_SERVER_DISABLED, server->place, 1 + server->disabled);
		set(sum, COUNT_SERVER_SESSIONS, server->place, 1 + server->sessions);
	}
}

static void add_worker(struct counters *sum, struct child *child, bool current)
{
	const char *doubt;

	totals_add(sum, &child->counted, &child->generation->counted, child->nsessions, current);
	doubt = totals_doubt(&child->counted);
	if (doubt != NULL)
		log_event(LOG_LEVEL_ERROR, "counts-impossible", LOG_NUMBER("pid", child->pid),
			  LOG_TEXT("family", doubt));
}

void ctl_metrics_sum(struct counters *sum, struct children *children, uint64_t generation_in_force)
{
	struct generation *generation;

	totals_add_own(sum, &children->totals);
	DL_FOREACH (children->head, generation) {
		totals_add_keys(sum, &generation->keeper);
		for (size_t i = 0; i < generation->n; i++)
			add_worker(sum, &generation->workers[i], generation->number == generation_in_force);
	}
}

struct ctl_metrics *ctl_metrics_new(struct children *children, const struct older_set *older,
				    const struct backends *backends, const struct answer_gateway *gateway)
{
	struct ctl_metrics *metrics = calloc(1, sizeof(*metrics));
	const struct older *one;

	if (metrics == NULL)
		return NULL;
	metrics->totals = &children->totals;
	ctl_metrics_sum(&metrics->sum, children, gateway->generation);
	DL_FOREACH (older->head, one)
		if (one->counts != NULL)
			totals_add_page(&metrics->sum, one->counts);
	set_facts(&metrics->sum, children, older, gateway);
	set_servers(&metrics->sum, backends);
	return metrics;
}

void ctl_metrics_free(struct ctl_metrics **metrics)
{
	free(*metrics);
	*metrics = NULL;
}

static int send_names(struct ctl_metrics *metrics, int fd)
{
	for (; metrics->kind < COUNT_KINDS; metrics->kind++, metrics->name = 0) {
		const struct totals_names *names = &metrics->totals->names[metrics->kind];

		for (; metrics->name < names->n; metrics->name++) {
			struct answer answer = ctl_proto_answer(ANSWER_NAME);
			int r;

			answer.u.name.kind = metrics->kind;
			answer.u.name.place = (uint32_t)metrics->name;
			(void)snprintf(answer.u.name.first, sizeof(answer.u.name.first), "%s",
				       names->items[metrics->name].first);
			(void)snprintf(answer.u.name.second, sizeof(answer.u.name.second), "%s",
				       names->items[metrics->name].second);
			r = ctl_proto_send(fd, &answer);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* The next numbers that are not all 0; after the last ones, none. */
static void fill(const struct counters *sum, size_t cell, struct answer_counts *counts)
{
	while (cell < COUNT_CELLS && count_read(sum, cell) == 0)
		cell++;
	counts->cells = COUNT_CELLS;
	counts->first = (uint32_t)cell;
	for (; counts->n < ANSWER_COUNTS_MAX && cell < COUNT_CELLS; cell++)
		counts->values[counts->n++] = count_read(sum, cell);
	counts->last = cell == COUNT_CELLS;
}

int ctl_metrics_send(struct ctl_metrics *metrics, int fd)
{
	int r = send_names(metrics, fd);
	bool last = false;

	while (r == 0 && !last) {
		struct answer answer = ctl_proto_answer(ANSWER_COUNTS);

		fill(&metrics->sum, metrics->cell, &answer.u.counts);
		r = ctl_proto_send(fd, &answer);
		if (r == 0)
			metrics->cell = answer.u.counts.first + answer.u.counts.n;
		last = answer.u.counts.last;
	}
	return r;
}
