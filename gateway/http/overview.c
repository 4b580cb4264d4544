/*
 * The state of attlsd as JSON, put together from two questions: the first is for the
 * state, the workers and their events, the second for the counters. Both are small.
 */
#include "gateway/http/overview.h"

#include <string.h>
#include <time.h>

#include "gateway/base/server-failure.h"
#include "gateway/base/util.h"
#include "gateway/http/backends.h"
#include "gateway/http/figures.h"
#include "gateway/http/history.h"
#include "gateway/view/client-backends.h"
#include "gateway/view/client-events.h"
#include "gateway/view/client-json.h"
#include "gateway/view/client-print.h"

/* Events and rows of a table, at most. */
#define EVENTS_MAX 64
#define ROWS_MAX   1024

static json_t *state_json(const struct answer_gateway *gateway)
{
	return json_string(gateway->draining	  ? "draining"
			   : gateway->maintenance ? "maintenance"
			   : gateway->reloading	  ? "reloading"
						  : "serving");
}

/* A text out of a policy's path or a reason, which need not be UTF-8. */
static json_t *text_json(const char *text)
{
	json_t *json = json_string(text);

	return json != NULL ? json : json_string("(not UTF-8)");
}

/* As `attlsctl backend --json` has them, but for the time, which is in seconds since 1970. */
static json_t *servers_json(const struct answers *answers)
{
	json_t *list = json_array();

	for (size_t i = 0; i < answers->nbackends; i++) {
		const struct answer_backend *server = &answers->backends[i];
		bool failed = server->failure != 0;

		(void)json_array_append_new(
		    list,
		    json_pack(
			"{s:o,s:o,s:s,s:I,s:o,s:I,s:I}", "backend", client_json_text(server->backend),
			"address", client_json_text(server->address), "state",
			client_backends_state(server->state), "since", (json_int_t)server->since_s, "cause",
			client_json_or_null(failed, json_string(server_failure_name(server->failure))),
			"sessions", (json_int_t)server->sessions, "chosen", (json_int_t)server->chosen));
	}
	return list;
}

bool overview_begin(struct request *request, const struct asker_result *result)
{
	const struct answers *answers = result->answers;
	const struct answer_gateway *gateway = answers != NULL ? &answers->gateway : NULL;
	json_int_t now = (json_int_t)time(NULL), transfers = 0;
	json_t *workers = json_array();
	json_t *failure = json_null();

	for (size_t i = 0; answers != NULL && i < answers->nworkers; i++) {
		const struct answer_worker *worker = &answers->workers[i].worker;

		transfers += (json_int_t)worker->transfers;
		(void)json_array_append_new(workers,
					    json_pack("{s:i,s:s,s:I,s:I,s:I}", "pid", (int)worker->pid,
						      "state", client_print_state(worker->state),
						      "generation", (json_int_t)worker->generation,
						      "sessions", (json_int_t)worker->sessions, "transfers",
						      (json_int_t)worker->transfers));
	}
	if (answers == NULL) {
		json_decref(workers);
		json_decref(failure);
		return false;
	}
	if (gateway->failure[0] != '\0' && !gateway->draining)
		failure = json_pack("{s:o,s:I}", "text", text_json(gateway->failure), "since",
				    now - (json_int_t)(gateway->failure_ms / 1000));
	request->kept = json_pack(
	    "{s:o,s:o,s:{s:o,s:o,s:I,s:I},s:I,s:I,s:o,s:o,s:{s:I,s:I,s:I},s:o,s:o,s:o}", "version",
	    text_json(gateway->version), "node", text_json(gateway->node), "policy", "path",
	    text_json(gateway->policy), "digest",
	    gateway->sha256[0] != '\0' ? text_json(gateway->sha256) : json_null(), "generation",
	    (json_int_t)gateway->generation, "since", now - (json_int_t)(gateway->policy_ms / 1000),
	    "started", now - (json_int_t)(gateway->up_ms / 1000), "now", now, "state", state_json(gateway),
	    "failure", failure, "sessions", "now", (json_int_t)client_answers_sessions(answers), "limit",
	    (json_int_t)gateway->limit, "transfers", transfers, "workers", workers, "events",
	    client_events_json(answers, EVENTS_MAX), "backend_servers", servers_json(answers));
	return request->kept != NULL;
}

/* --- tables --- */

struct table {
	json_t *rows;
	const char *count;		    /* the key of the value */
	const char *keys[COUNT_LABELS_MAX]; /* of labels; NULL: this label does not count */
	const char *yes;		    /* a key that is true for "yes" */
	const char *kind;		    /* of certificates */
};

static json_t *find_row(const struct table *table, const json_t *wanted)
{
	size_t i;
	json_t *row;

	json_array_foreach (table->rows, i, row) {
		json_t *copy = json_copy(row);
		bool same;

		(void)json_object_del(copy, table->count);
		same = json_equal(copy, wanted) == 1;
		json_decref(copy);
		if (same)
			return row;
	}
	return NULL;
}

static void add_row(void *context, const struct figure *figure)
{
	struct table *table = context;
	json_t *row = json_object(), *same;

	for (size_t i = 0; i < COUNT_LABELS_MAX; i++) {
		const char *text = figure->labels[i];

		if (table->keys[i] == NULL || text == NULL)
			continue;
		(void)json_object_set_new(row, table->keys[i],
					  table->yes != NULL && strcmp(table->keys[i], table->yes) == 0
					      ? json_boolean(strcmp(text, "yes") == 0)
					      : json_string(text));
	}
	same = find_row(table, row);
	if (same != NULL) {
		json_int_t sum = json_integer_value(json_object_get(same, table->count));

		(void)json_object_set_new(same, table->count, json_integer(sum + (json_int_t)figure->value));
		json_decref(row);
		return;
	}
	(void)json_object_set_new(row, table->count, json_integer((json_int_t)figure->value));
	if (json_array_size(table->rows) < ROWS_MAX)
		(void)json_array_append_new(table->rows, row);
	else
		json_decref(row);
}

static json_t *table_json(const struct metrics *metrics, const char *family, struct table table)
{
	table.rows = json_array();
	figures_each(metrics, family, add_row, &table);
	return table.rows;
}

static void add_certificate(void *context, const struct figure *figure)
{
	const struct table *table = context;

	(void)json_array_append_new(table->rows,
				    json_pack("{s:s,s:s,s:s,s:s,s:I}", "keyring", figure->labels[0], "label",
					      figure->second, "subject", figure->second, "kind", table->kind,
					      "not_after", (json_int_t)figure->value));
}

static json_t *certificates_json(const struct metrics *metrics)
{
	static const char *const kinds[][2] = {
		{ "certificate_expiry_timestamp", "certificate" },
		{ "ocsp_expiry_timestamp", "ocsp" },
		{ "crl_expiry_timestamp", "crl" },
	};
	struct table table = { .rows = json_array() };

	for (size_t i = 0; i < NELEM(kinds); i++) {
		table.kind = kinds[i][1];
		figures_each(metrics, kinds[i][0], add_certificate, &table);
	}
	return table.rows;
}

static void add_counters(json_t *to, const struct metrics *metrics, const struct history *history)
{
	(void)json_object_set_new(
	    to, "tls",
	    table_json(metrics, "handshakes",
		       (struct table){ .count = "handshakes",
				       .keys = { "leg", NULL, "version", "cipher", "group", "resumed" },
				       .yes = "resumed" }));
	(void)json_object_set_new(
	    to, "failures",
	    table_json(metrics, "handshake_failures",
		       (struct table){ .count = "count", .keys = { "leg", NULL, "cause" } }));
	(void)json_object_set_new(to, "refusals",
				  table_json(metrics, "commands_refused",
					     (struct table){ .count = "count", .keys = { "verb", "key" } }));
	(void)json_object_set_new(
	    to, "transfers",
	    table_json(metrics, "transfers",
		       (struct table){ .count = "count", .keys = { "direction", "protection", "result" } }));
	(void)json_object_set_new(to, "backends", backends_json(&history->backends, metrics));
	(void)json_object_set_new(to, "certificates", certificates_json(metrics));
}

void overview_answer(struct request *request, const struct asker_result *result)
{
	struct text text = { .bytes = NULL };

	if (request->kept == NULL || result->metrics == NULL) {
		request_say(request, MHD_HTTP_SERVICE_UNAVAILABLE, "attlsd does not answer");
		return;
	}
	add_counters(request->kept, result->metrics, request->history);
	(void)json_object_set_new(request->kept, "history", history_json(request->history));
	if (json_dump_callback(request->kept, text_add_piece, &text, JSON_COMPACT) == -1)
		text.failed = true;
	text_add(&text, "\n", 1);
	request_answer(request, MHD_HTTP_OK, "application/json", &text);
}
