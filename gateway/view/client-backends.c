/* Asks the monitor for the servers of backends with several, and prints them as a table or as JSON. */
#include "gateway/view/client-backends.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/server-failure.h"
#include "gateway/view/client-text.h"
#include "gateway/view/client.h"
#include "gateway/view/json-print.h"

/* More than any policy has; what else comes is no answer of attlsd's. */
#define SERVERS_MAX 100000

struct list {
	const char *backend; /* NULL: all */
	struct answer_backend *servers;
	size_t n, cap;
};

static const char *state_name(uint32_t state)
{
	static const char *const names[BACKEND_STATES] = {
		[BACKEND_STATE_UP] = "up",
		[BACKEND_STATE_DOUBTFUL] = "doubtful",
		[BACKEND_STATE_DOWN] = "down",
		[BACKEND_STATE_DISABLED] = "disabled",
	};

	return state < BACKEND_STATES ? names[state] : "unknown";
}

static int take(void *context, const struct answer *answer)
{
	struct list *list = context;

	if (answer->kind == ANSWER_GATEWAY)
		return 0;
	if (answer->kind == ANSWER_LIST_END)
		return 1;
	if (answer->kind != ANSWER_BACKEND || list->n == SERVERS_MAX)
		return -1;
	if (list->backend != NULL && strcmp(list->backend, answer->u.backend.backend) != 0)
		return 0;
	if (list->n == list->cap) {
		size_t cap = list->cap == 0 ? 16 : list->cap * 2;
		struct answer_backend *servers = realloc(list->servers, cap * sizeof(*servers));

		if (servers == NULL)
			return -1;
		list->servers = servers;
		list->cap = cap;
	}
	list->servers[list->n++] = answer->u.backend;
	return 0;
}

static void when(uint64_t since_s, char text[static 32])
{
	const time_t at = (time_t)since_s;
	struct tm tm;

	if (gmtime_r(&at, &tm) == NULL || strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		text[0] = '\0';
}

static void print_table(const struct list *list)
{
	int width = (int)strlen("ADDRESS"), backend_width = (int)strlen("BACKEND");

	for (size_t i = 0; i < list->n; i++) {
		int len = (int)strlen(list->servers[i].address);

		width = len > width ? len : width;
		len = (int)strlen(list->servers[i].backend);
		backend_width = len > backend_width ? len : backend_width;
	}
	(void)printf("%-*s  %-*s  %-8s  %-20s  %8s  %8s  %s\n", backend_width, "BACKEND", width, "ADDRESS",
		     "STATE", "SINCE", "SESSIONS", "CHOSEN", "CAUSE");
	for (size_t i = 0; i < list->n; i++) {
		const struct answer_backend *server = &list->servers[i];
		char since[32];

		when(server->since_s, since);
		(void)printf("%-*s  %-*s  %-8s  %-20s  %8" PRIu64 "  %8" PRIu64 "  %s\n", backend_width,
			     server->backend, width, server->address, state_name(server->state), since,
			     server->sessions, server->chosen,
			     server->failure == 0 ? "" : server_failure_name(server->failure));
	}
}

static int print_json(const struct list *list)
{
	json_t *all = json_array();
	int r;

	for (size_t i = 0; i < list->n; i++) {
		const struct answer_backend *server = &list->servers[i];
		char since[32];

		when(server->since_s, since);
		(void)json_array_append_new(
		    all,
		    json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:s*}", "backend", server->backend, "address",
			      server->address, "state", state_name(server->state), "since", since, "sessions",
			      (json_int_t)server->sessions, "chosen", (json_int_t)server->chosen, "cause",
			      server->failure == 0 ? NULL : server_failure_name(server->failure)));
	}
	r = json_print(all, stdout);
	json_decref(all);
	return r;
}

int client_backends_show(const struct target *target, const char *backend, bool json)
{
	struct list list = { .backend = backend };
	int r = client_read(target, CTL_BACKENDS, take, &list);

	if (r == 0 && list.n == 0 && backend != NULL)
		r = client_fault(target, "no backend \"%s\" has \"addresses\"", backend);
	else if (r == 0 && json)
		r = print_json(&list);
	else if (r == 0)
		print_table(&list);
	free(list.servers);
	return r;
}
