/*
 * Picks the worker for a new session: the one with the least to do, and none that does
 * not read its messages.
 */
#include "gateway/monitor/child-pick.h"

#include <poll.h>
#include <utlist.h>

#include "gateway/base/log.h"

/* Log an event after no worker has accepted a session for this long. */
#define BACKLOG_LOGGED_MS 1000

static bool takes_sessions(const struct child *child)
{
	return child->ready && !child->backlogged && child->stop_sent == MSG_NONE;
}

/* Log that clients are waiting while no worker accepts sessions. */
static void log_backlog(struct generation *generation, bool all_backlogged, uint64_t now_ms)
{
	if (!all_backlogged) {
		generation->backlogged_since_ms = 0;
		generation->backlog_logged = false;
	} else if (generation->backlogged_since_ms == 0) {
		generation->backlogged_since_ms = now_ms;
	} else if (!generation->backlog_logged &&
		   now_ms - generation->backlogged_since_ms > BACKLOG_LOGGED_MS) {
		generation->backlog_logged = true;
		log_event(LOG_LEVEL_ERROR, "workers-backlogged",
			  LOG_NUMBER("generation", generation->number));
	}
}

bool child_is_backlogged(const struct child *child)
{
	struct pollfd look = { .fd = child->channel.fd, .events = POLLOUT };

	return child->ready && poll(&look, 1, 0) == 0;
}

enum answer_worker_state child_state(const struct child *child)
{
	if (!child->ready)
		return child->channel.fd == -1 ? WORKER_ENDS : WORKER_STARTS;
	if (child_is_backlogged(child))
		return WORKER_BACKLOGGED;
	if (child->stop_sent == MSG_NONE)
		return WORKER_SERVES;
	return child->stop_sent >= MSG_DRAIN ? WORKER_DRAINS : WORKER_RETIRES;
}

void generation_check_backlog(struct generation *generation, uint64_t now_ms)
{
	bool any_takes = false, any_backlogged = false;

	for (size_t i = 0; i < generation->n; i++) {
		struct child *child = &generation->workers[i];

		child->backlogged = child_is_backlogged(child);
		any_backlogged = any_backlogged || child->backlogged;
		any_takes = any_takes || takes_sessions(child);
	}
	log_backlog(generation, any_backlogged && !any_takes, now_ms);
}

struct child *generation_pick(struct generation *generation)
{
	struct child *best = NULL;

	for (size_t i = 0; i < generation->n; i++) {
		struct child *child = &generation->workers[i];

		if (!takes_sessions(child))
			continue;
		if (best == NULL || *child->relays < *best->relays ||
		    (*child->relays == *best->relays && child->nsessions < best->nsessions))
			best = child;
	}
	return best;
}

struct child *generation_pick_for(struct generation *generation, const struct ip_addr *client)
{
	uint32_t hash = 2166136261u; /* FNV-1a */
	struct child *child;

	for (size_t i = 0; i < sizeof(client->bytes); i++)
		hash = (hash ^ client->bytes[i]) * 16777619u;
	child = &generation->workers[hash % generation->n];
	return takes_sessions(child) ? child : generation_pick(generation);
}

bool generation_others_report(const struct generation *generation)
{
	size_t n = 0;

	for (size_t i = 0; i < generation->n; i++)
		n += generation->workers[i].ready;
	return n > 1;
}

struct child *generation_pick_other(struct generation *generation, pid_t avoid, size_t start)
{
	struct child *only = NULL;

	for (size_t i = 0; i < generation->n; i++) {
		struct child *child = &generation->workers[(start + i) % generation->n];

		if (!child->ready || child->stop_sent != MSG_NONE || child_is_backlogged(child))
			continue;
		if (child->pid != avoid)
			return child;
		only = child;
	}
	return only;
}

uint32_t children_count(const struct children *children)
{
	const struct generation *generation;
	uint32_t n = 0;

	DL_FOREACH (children->head, generation)
		for (size_t i = 0; i < generation->n; i++)
			n += generation->workers[i].pid != 0;
	return n;
}

bool generation_is_ready(const struct generation *generation)
{
	for (size_t i = 0; i < generation->n; i++)
		if (!generation->workers[i].ready)
			return false;
	return true;
}
