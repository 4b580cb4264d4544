/*
 * Keeps the servers of backends and gives them to sessions. All workers ask here, so
 * that turns and numbers of sessions are those of the whole gateway. An entry is found by
 * its names: a reload keeps its state.
 */
#include "gateway/monitor/backends.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "gateway/base/log.h"

/* From a first failure to the check of it: no server is checked more often. */
#define CHECK_SOON_MS 1000

/* What a session has. */
struct backend_use {
	uint64_t session; /* key */
	struct backend_server *server;
	size_t backend; /* its place in the policy of the session's generation */
	size_t index;	/* of the server in the backend */
	uint32_t tried; /* bits of servers that it had before, and has now */
	bool told;	/* whether the server works */
	bool works;
	UT_hash_handle hh;
};

_Static_assert(POLICY_SERVERS_MAX <= 32, "bits of `tried`");

struct backend_server *backends_find(const struct backends *backends, const char *backend, const char *text)
{
	struct backend_server *server;

	DL_FOREACH (backends->head, server)
		if (strcmp(server->backend, backend) == 0 && strcmp(server->text, text) == 0)
			return server;
	return NULL;
}

/* Names are cut in the counters. Of two servers that are one name there, the second counts as "other". */
static size_t place_for(const struct backends *backends, const char *backend, const char *text)
{
	const struct backend_server *server;
	size_t place = COUNT_NAMES_OTHER;

	if (backends->totals != NULL)
		place = totals_place(backends->totals, COUNT_KIND_SERVER, backend, text);
	DL_FOREACH (backends->head, server)
		if (server->place == place)
			return COUNT_NAMES_OTHER;
	return place;
}

static void server_free(struct backend_server *server)
{
	free(server->backend);
	free(server->text);
	free(server);
}

/* NULL: no memory. A generation that is retired may name servers that were forgotten. */
static struct backend_server *find_or_add(struct backends *backends, const char *backend, const char *text)
{
	struct backend_server *server = backends_find(backends, backend, text);

	if (server != NULL)
		return server;
	server = calloc(1, sizeof(*server));
	if (server == NULL)
		return NULL;
	server->backend = strdup(backend);
	server->text = strdup(text);
	server->since = time(NULL);
	server->place = place_for(backends, backend, text);
	if (server->backend == NULL || server->text == NULL) {
		server_free(server);
		return NULL;
	}
	DL_APPEND(backends->head, server);
	return server;
}

void backends_follow(struct backends *backends, const struct policy *policy)
{
	struct backend_server *server, *next;

	DL_FOREACH (backends->head, server)
		server->in_policy = false;
	for (size_t i = 0; i < policy->nbackends; i++) {
		const struct policy_backend *backend = &policy->backends[i];

		for (size_t j = 0; backend->balanced && j < backend->nservers; j++) {
			server = find_or_add(backends, backend->name, backend->servers[j].text);
			if (server == NULL)
				continue;
			server->in_policy = true;
			server->at_backend = i;
			server->at_server = j;
		}
	}
	DL_FOREACH_SAFE(backends->head, server, next)
	{
		if (server->in_policy || server->sessions > 0)
			continue;
		DL_DELETE(backends->head, server);
		server_free(server);
	}
}

void backends_disable(struct backends *backends, const char *backend, const char *text, time_t since)
{
	struct backend_server *server = find_or_add(backends, backend, text);

	if (server == NULL)
		return;
	server->disabled = true;
	server->since = since;
}

static struct backend_use *use_of(const struct backends *backends, uint64_t session)
{
	struct backend_use *use;

	HASH_FIND(hh, backends->uses, &session, sizeof(session), use);
	return use;
}

static void leave(struct backend_use *use)
{
	if (use->server != NULL)
		use->server->sessions--;
	use->server = NULL;
}

/* The session's entry, for this backend. NULL: no memory. */
static struct backend_use *use_for(struct backends *backends, const struct policy_backend *backend,
				   uint64_t session)
{
	struct backend_use *use = use_of(backends, session);

	if (use == NULL) {
		use = calloc(1, sizeof(*use));
		if (use == NULL)
			return NULL;
		use->session = session;
		use->backend = backend->index;
		HASH_ADD(hh, backends->uses, session, sizeof(use->session), use);
	}
	if (use->backend != backend->index) {
		leave(use);
		use->backend = backend->index;
		use->tried = 0;
		use->told = use->works = false;
	}
	return use;
}

/* May the session not have this server, whatever its state? */
static bool is_barred(const struct backend_use *use, const struct backend_wish *wish, size_t index)
{
	return (use->tried & UINT32_C(1) << index) != 0 || (wish->only != 0 && index != wish->only - 1);
}

int backends_choose(struct backends *backends, const struct policy_backend *backend,
		    const struct backend_wish *wish, uint64_t now_ms, uint32_t *ret_left)
{
	static const struct ip_addr unknown = { .family = IP_NONE };
	struct balance_server choices[POLICY_SERVERS_MAX];
	struct backend_server *servers[POLICY_SERVERS_MAX];
	struct backend_use *use = use_for(backends, backend, wish->session);
	size_t n = backend->nservers, at;
	uint32_t left = 0;

	if (use == NULL)
		return -ENOMEM;
	if (wish->anew) {
		use->tried = 0;
		use->told = use->works = false;
	}
	if (use->works)
		return -EEXIST;
	leave(use);
	for (size_t i = 0; i < n; i++) {
		servers[i] = find_or_add(backends, backend->name, backend->servers[i].text);
		if (servers[i] == NULL)
			return -ENOMEM;
		choices[i] = (struct balance_server){
			.text = backend->servers[i].text,
			.class = servers[i]->disabled || is_barred(use, wish, i)
				     ? BALANCE_OUT
				     : server_health_class(&servers[i]->health, &backend->health, now_ms),
			.sessions = servers[i]->sessions,
			.chosen_at = servers[i]->chosen_at,
		};
		left += choices[i].class != BALANCE_OUT;
	}
	at = balance_choose(backend->balance, choices, n, wish->key != NULL ? wish->key : &unknown);
	if (at == n)
		return -ENOENT;
	server_health_tried(&servers[at]->health, &backend->health, now_ms);
	servers[at]->sessions++;
	servers[at]->chosen++;
	count(SERVER_CHOSEN, servers[at]->place, 1);
	servers[at]->chosen_at = ++backends->choices;
	use->server = servers[at];
	use->index = at;
	use->tried |= UINT32_C(1) << at;
	use->told = false;
	*ret_left = left - 1;
	return (int)at;
}

const struct policy_server *backends_server_of(const struct backends *backends,
					       const struct policy_backend *backend, uint64_t session)
{
	const struct backend_use *use = use_of(backends, session);

	if (use == NULL || use->server == NULL || use->backend != backend->index)
		return NULL;
	return &backend->servers[use->index];
}

static void count_failure(const struct backend_server *server, enum server_failure failure)
{
	if (failure != SERVER_FAILURE_NONE)
		count(SERVER_FAILURES,
		      server->place * COUNT_N_SERVER_CAUSE +
			  count_value(COUNT_LABEL_SERVER_CAUSE, server_failure_name(failure)),
		      1);
}

static void log_change(const struct backend_server *server, enum server_change change)
{
	time_t now = time(NULL); /* it may have been set back */

	if (change == SERVER_CHANGE_DOWN)
		log_event(LOG_LEVEL_WARNING, "backend-down", LOG_TEXT("backend", server->backend),
			  LOG_TEXT("address", server->text),
			  LOG_TEXT("cause", server_failure_name(server->health.failure)),
			  LOG_NUMBER("failures", server->health.failed));
	else
		log_event(LOG_LEVEL_INFO, "backend-up", LOG_TEXT("backend", server->backend),
			  LOG_TEXT("address", server->text),
			  LOG_NUMBER("down_s", (uint64_t)(now > server->since ? now - server->since : 0)));
}

void backends_learn(struct backend_server *server, const struct policy_health *limits,
		    enum server_failure failure, const struct backend_witness *witness)
{
	enum server_change change = server_health_take(&server->health, limits, failure, witness->worker,
						       witness->others, witness->now_ms);
	uint64_t soon_ms = witness->now_ms + CHECK_SOON_MS;

	count_failure(server, failure);
	/* one failure is no proof: another worker looks before others pay for it, or for a lie */
	if (failure != SERVER_FAILURE_NONE && server->health.failed <= 1 && server->check.due_ms > soon_ms)
		server->check.due_ms = soon_ms;
	if (change == SERVER_CHANGE_NONE)
		return;
	log_change(server, change);
	server->since = time(NULL);
}

/* Where checks see more than a session has seen with its greeting, its success proves nothing. */
static bool counts(const struct policy_health *limits, enum server_failure failure)
{
	return failure != SERVER_FAILURE_NONE || limits->check < HEALTH_CHECK_GREETING;
}

bool backends_report(struct backends *backends, const struct policy_backend *backend, uint64_t session,
		     enum server_failure failure, const struct backend_witness *witness)
{
	struct backend_use *use = use_of(backends, session);

	if (use == NULL || use->server == NULL || use->backend != backend->index || use->told)
		return false;
	use->told = true;
	use->works = failure == SERVER_FAILURE_NONE;
	if (counts(&backend->health, failure))
		backends_learn(use->server, &backend->health, failure, witness);
	return true;
}

void backends_session_end(struct backends *backends, uint64_t session)
{
	struct backend_use *use = use_of(backends, session);

	if (use == NULL)
		return;
	leave(use);
	HASH_DEL(backends->uses, use);
	free(use);
}

void backends_done(struct backends *backends)
{
	struct backend_server *server, *next_server;
	struct backend_use *use, *next;

	HASH_ITER (hh, backends->uses, use, next) {
		HASH_DEL(backends->uses, use);
		free(use);
	}
	DL_FOREACH_SAFE(backends->head, server, next_server)
	{
		DL_DELETE(backends->head, server);
		server_free(server);
	}
}
