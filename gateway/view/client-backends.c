/*
 * Shows the servers of backends that have several, as a table or as JSON. The monitor keeps their
 * state, so that no worker can lie about it here.
 */
#include "gateway/view/client-backends.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "gateway/base/server-failure.h"
#include "gateway/view/client-answers.h"
#include "gateway/view/client-json.h"
#include "gateway/view/client-text.h"
#include "gateway/view/client.h"
#include "gateway/view/json-print.h"

#define TIME_TEXT_MAX 32

const char *client_backends_state(uint32_t state)
{
	static const char *const names[BACKEND_STATES] = {
		[BACKEND_STATE_UP] = "up",
		[BACKEND_STATE_DOUBTFUL] = "doubtful",
		[BACKEND_STATE_DOWN] = "down",
		[BACKEND_STATE_DISABLED] = "disabled",
	};

	return state < BACKEND_STATES ? names[state] : "unknown";
}

static const char *when(uint64_t since_s, char text[static TIME_TEXT_MAX])
{
	const time_t at = (time_t)since_s;
	struct tm tm;

	if (gmtime_r(&at, &tm) == NULL || strftime(text, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		text[0] = '\0';
	return text;
}

static bool is_of(const struct answer_backend *server, const char *backend)
{
	return backend == NULL || strcmp(backend, server->backend) == 0;
}

static int wider(int width, const char *text)
{
	return (int)strlen(text) > width ? (int)strlen(text) : width;
}

void client_backends_print(const struct answers *answers, const char *backend, FILE *out)
{
	int width = wider(0, "ADDRESS"), backend_width = wider(0, "BACKEND");
	char since[TIME_TEXT_MAX];

	for (size_t i = 0; i < answers->nbackends; i++) {
		if (!is_of(&answers->backends[i], backend))
			continue;
		width = wider(width, answers->backends[i].address);
		backend_width = wider(backend_width, answers->backends[i].backend);
	}
	(void)fprintf(out, "%-*s  %-*s  %-8s  %-20s  %8s  %8s  %s\n", backend_width, "BACKEND", width,
		      "ADDRESS", "STATE", "SINCE", "SESSIONS", "CHOSEN", "CAUSE");
	for (size_t i = 0; i < answers->nbackends; i++) {
		const struct answer_backend *server = &answers->backends[i];

		if (is_of(server, backend))
			(void)fprintf(out, "%-*s  %-*s  %-8s  %-20s  %8" PRIu64 "  %8" PRIu64 "  %s\n",
				      backend_width, server->backend, width, server->address,
				      client_backends_state(server->state), when(server->since_s, since),
				      server->sessions, server->chosen,
				      server->failure == 0 ? "" : server_failure_name(server->failure));
	}
}

json_t *client_backends_json(const struct answers *answers, const char *backend)
{
	json_t *all = json_array();
	char since[TIME_TEXT_MAX];

	for (size_t i = 0; i < answers->nbackends; i++) {
		const struct answer_backend *server = &answers->backends[i];

		if (!is_of(server, backend))
			continue;
		(void)json_array_append_new(
		    all,
		    json_pack("{s:o,s:o,s:s,s:s,s:I,s:I,s:s*}", "backend", client_json_text(server->backend),
			      "address", client_json_text(server->address), "state",
			      client_backends_state(server->state), "since", when(server->since_s, since),
			      "sessions", (json_int_t)server->sessions, "chosen", (json_int_t)server->chosen,
			      "cause", server->failure == 0 ? NULL : server_failure_name(server->failure)));
	}
	return all;
}

static bool has_any(const struct answers *answers, const char *backend)
{
	for (size_t i = 0; i < answers->nbackends; i++)
		if (is_of(&answers->backends[i], backend))
			return true;
	return false;
}

int client_backends_show(const struct target *target, const char *backend, bool json)
{
	struct answers answers;
	int r = client_collect(target, CTL_BACKENDS, NULL, &answers);

	if (r == 0 && !answers.list_complete)
		r = client_fault(target, "attlsd closed the connection before the end of its answer");
	else if (r == 0 && backend != NULL && !has_any(&answers, backend))
		r = client_fault(target, "no backend \"%s\" has \"addresses\"", backend);
	else if (r == 0 && json)
		r = json_print(client_backends_json(&answers, backend), stdout);
	else if (r == 0 && answers.nbackends == 0)
		(void)fputs(
		    "no backend has \"addresses\", so there is nothing to choose from; attlsctl doctor "
		    "tries the server of each backend, and attlsctl events shows server-down\n",
		    stdout);
	else if (r == 0)
		client_backends_print(&answers, backend, stdout);
	client_answers_done(&answers);
	return r;
}
