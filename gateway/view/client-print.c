/*
 * Prints the answers of a running attlsd as tables or JSON. Users and commands
 * come from clients, so texts are escaped for the terminal.
 */
#include "gateway/view/client-print.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/view/client-answers.h"
#include "gateway/view/client-servers.h"
#include "gateway/view/client-text.h"
#include "gateway/view/json-print.h"

const char *client_print_state(uint32_t state)
{
	switch ((enum answer_worker_state)state) {
	case WORKER_STARTS:
		return "starts";
	case WORKER_SERVES:
		return "serves";
	case WORKER_BACKLOGGED:
		return "backlogged";
	case WORKER_RETIRES:
		return "retires";
	case WORKER_DRAINS:
		return "drains";
	case WORKER_ENDS:
		return "ends";
	}
	return "unknown";
}

/* A draining attlsd gives up a reload under way, which is not a failure. */
static bool reload_has_failed(const struct answer_gateway *gateway)
{
	return gateway->failure[0] != '\0' && gateway->draining == 0;
}

void client_print_status(const struct answers *answers, FILE *out)
{
	const struct answer_gateway *gateway = &answers->gateway;
	char up[CLIENT_AGE_MAX], policy[CLIENT_AGE_MAX], failed[CLIENT_AGE_MAX];

	(void)fprintf(out, "attlsd %s, process %d, up %s%s%s\n", gateway->version, (int)gateway->pid,
		      client_text_age(gateway->up_ms, up), gateway->draining ? ", draining" : "",
		      gateway->reloading ? ", a reload is under way" : "");
	(void)fprintf(out, "policy %s, generation %" PRIu64 ", in force for %s\n", gateway->policy,
		      gateway->generation, client_text_age(gateway->policy_ms, policy));
	if (reload_has_failed(gateway))
		(void)fprintf(out, "the last reload failed %s ago: %s\n",
			      client_text_age(gateway->failure_ms, failed), gateway->failure);
	(void)fprintf(out, "%" PRIu64 " session%s, at most %" PRIu64 "\n\n", gateway->sessions,
		      gateway->sessions == 1 ? "" : "s", gateway->limit);
	(void)fprintf(out, "%8s  %10s  %-10s  %8s  %9s  %10s  %7s\n", "WORKER", "GENERATION", "STATE",
		      "SESSIONS", "TRANSFERS", "SIGNATURES", "REFUSED");
	for (size_t i = 0; i < answers->nworkers; i++) {
		const struct answer_worker *worker = &answers->workers[i].worker;

		(void)fprintf(out,
			      "%8d  %10" PRIu64 "  %-10s  %8" PRIu64 "  %9" PRIu32 "  %10" PRIu64
			      "  %7" PRIu64 "\n",
			      (int)worker->pid, worker->generation, client_print_state(worker->state),
			      worker->sessions, worker->transfers, worker->signatures, worker->refused);
	}
	client_servers_print(answers, out);
}

enum column { SESSION, CLIENT, USER, RULE, TLS, AGE, IDLE, SERVER, PROT, BYTES, TRANSFER, COLUMNS };

static const struct {
	const char *head;
	bool right; /* aligned to the right */
} columns[COLUMNS] = {
	[SESSION] = { "SESSION", true }, [CLIENT] = { "CLIENT", false },     [USER] = { "USER", false },
	[RULE] = { "RULE", false },	 [TLS] = { "TLS", false },	     [AGE] = { "AGE", true },
	[IDLE] = { "IDLE", true },	 [SERVER] = { "SERVER", false },     [PROT] = { "PROT", false },
	[BYTES] = { "BYTES", true },	 [TRANSFER] = { "TRANSFER", false },
};

/* The text of one cell in the row of a session. */
static const char *cell(const struct answer_session *session, enum column column,
			char buf[static CLIENT_SHOWN_MAX])
{
	bool transfers = session->transfer[0] != '\0';

	switch (column) {
	case SESSION:
		(void)snprintf(buf, CLIENT_SHOWN_MAX, "%" PRIu64, session->session);
		return buf;
	case CLIENT:
		return ip_endpoint_format(&session->remote, buf);
	case USER:
		return client_text_name(session->user, buf);
	case RULE:
		return client_text_name(session->rule, buf);
	case TLS:
		return session->tls[0] != '\0' ? client_text_shown(session->tls, buf) : "clear";
	case AGE:
		return client_text_age(session->age_ms, buf);
	case IDLE:
		return client_text_age(session->idle_ms, buf);
	case SERVER:
		return session->rule[0] != '\0' ? ip_endpoint_format(&session->server, buf) : "-";
	case PROT:
		if (!transfers)
			return "-";
		(void)snprintf(buf, CLIENT_SHOWN_MAX, "%.1s%s%.1s", session->prot,
			       session->server_prot[0] != '\0' ? "/" : "", session->server_prot);
		return buf;
	case BYTES:
		return transfers ? client_text_size(session->bytes, buf) : "-";
	case TRANSFER:
		return transfers ? client_text_shown(session->transfer, buf) : "-";
	case COLUMNS:
		break;
	}
	return "";
}

static void print_cell(const char *text, enum column column, size_t width, FILE *out)
{
	if (columns[column].right)
		(void)fprintf(out, "%s%*s", column == 0 ? "" : "  ", (int)width, text);
	else
		(void)fprintf(out, "%s%-*s", column == 0 ? "" : "  ", (int)width, text);
}

/* The other leg's TLS; too long for a column, so it has a line of its own. */
static void print_server_tls(const struct answer_session *session, size_t indent, FILE *out)
{
	char buf[CLIENT_SHOWN_MAX];

	if (session->server_name[0] == '\0')
		return;
	(void)fprintf(out, "%*s  server %s", (int)indent, "", client_text_shown(session->server_name, buf));
	(void)fprintf(out, " %s",
		      session->server_tls[0] != '\0' ? client_text_shown(session->server_tls, buf) : "clear");
	if (session->server_cipher[0] != '\0')
		(void)fprintf(out, " %s", client_text_shown(session->server_cipher, buf));
	if (session->server_issuer[0] != '\0')
		(void)fprintf(out, " issuer %s", client_text_shown(session->server_issuer, buf));
	(void)fputc('\n', out);
}

/* Too long for a column: a line of its own. */
static void print_certificate(const struct answer_session *session, size_t indent, FILE *out)
{
	char buf[CLIENT_SHOWN_MAX];

	if (session->sha256[0] == '\0')
		return;
	(void)fprintf(out, "%*s  certificate %s", (int)indent, "", client_text_shown(session->subject, buf));
	(void)fprintf(out, " issuer %s", client_text_shown(session->issuer, buf));
	(void)fprintf(out, " serial %s", client_text_shown(session->serial, buf));
	(void)fprintf(out, " sha256 %s\n", client_text_shown(session->sha256, buf));
}

/* Likewise. */
static void print_told(const struct answer_session *session, size_t indent, FILE *out)
{
	char buf[CLIENT_SHOWN_MAX];

	if (session->told.port != 0)
		(void)fprintf(out, "%*s  waits for the client at %s\n", (int)indent, "",
			      ip_endpoint_format(&session->told, buf));
}

void client_print_sessions(const struct answers *answers, FILE *out)
{
	char buf[CLIENT_SHOWN_MAX];
	size_t widths[COLUMNS];

	for (enum column column = 0; column < COLUMNS; column++) {
		widths[column] = strlen(columns[column].head);
		for (size_t i = 0; i < answers->nsessions; i++) {
			size_t len = strlen(cell(&answers->sessions[i], column, buf));

			if (len > widths[column])
				widths[column] = len;
		}
	}
	widths[COLUMNS - 1] = 0; /* no blanks at the end of a line */
	for (enum column column = 0; column < COLUMNS; column++)
		print_cell(columns[column].head, column, widths[column], out);
	(void)fputc('\n', out);
	for (size_t i = 0; i < answers->nsessions; i++) {
		for (enum column column = 0; column < COLUMNS; column++)
			print_cell(cell(&answers->sessions[i], column, buf), column, widths[column], out);
		(void)fputc('\n', out);
		print_certificate(&answers->sessions[i], widths[SESSION], out);
		print_server_tls(&answers->sessions[i], widths[SESSION], out);
		print_told(&answers->sessions[i], widths[SESSION], out);
	}
}

static json_t *shown_json(const char *text)
{
	char buf[CLIENT_SHOWN_MAX];

	return json_string(client_text_shown(text, buf));
}

static json_t *seconds(uint64_t ms)
{
	return json_real((double)ms / 1000);
}

static json_t *reload_failed_json(const struct answer_gateway *gateway)
{
	if (!reload_has_failed(gateway))
		return json_null();
	return json_pack("{s:o,s:o}", "reason", shown_json(gateway->failure), "ago",
			 seconds(gateway->failure_ms));
}

json_t *client_json_silent(const struct answers *answers)
{
	json_t *silent = json_array();

	for (size_t i = 0; i < answers->nworkers; i++)
		if (client_is_silent(&answers->workers[i]))
			(void)json_array_append_new(silent, json_integer(answers->workers[i].worker.pid));
	return silent;
}

int client_json_status(const struct answers *answers, FILE *out)
{
	const struct answer_gateway *gateway = &answers->gateway;
	json_t *workers = json_array();

	for (size_t i = 0; i < answers->nworkers; i++) {
		const struct answer_worker *worker = &answers->workers[i].worker;

		(void)json_array_append_new(
		    workers,
		    json_pack("{s:i,s:I,s:s,s:I,s:i,s:I,s:I}", "pid", (int)worker->pid, "generation",
			      (json_int_t)worker->generation, "state", client_print_state(worker->state),
			      "sessions", (json_int_t)worker->sessions, "transfers", (int)worker->transfers,
			      "signatures", (json_int_t)worker->signatures, "refused",
			      (json_int_t)worker->refused));
	}
	return json_print(
	    json_pack("{s:o,s:i,s:o,s:I,s:o,s:o,s:I,s:I,s:b,s:o,s:b,s:o,s:o,s:o}", "version",
		      shown_json(gateway->version), "pid", (int)gateway->pid, "policy",
		      shown_json(gateway->policy), "generation", (json_int_t)gateway->generation, "up",
		      seconds(gateway->up_ms), "in_force", seconds(gateway->policy_ms), "sessions",
		      (json_int_t)gateway->sessions, "limit", (json_int_t)gateway->limit, "reloading",
		      gateway->reloading != 0, "reload_failed", reload_failed_json(gateway), "draining",
		      gateway->draining != 0, "workers", workers, "servers", client_servers_json(answers),
		      "silent_workers", client_json_silent(answers)),
	    out);
}

/* Missing values are null. */
static json_t *or_null(bool there, json_t *json)
{
	if (there)
		return json;
	json_decref(json);
	return json_null();
}

static json_t *endpoint(const struct ip_endpoint *endpoint)
{
	char text[IP_TEXT_MAX];

	return json_string(ip_endpoint_format(endpoint, text));
}

static json_t *transfer(const struct answer_session *session)
{
	if (session->transfer[0] == '\0')
		return json_null();
	/* data that is "S" is safe from changes, not from readers */
	return json_pack("{s:o,s:o,s:o,s:b,s:I,s:o}", "command", shown_json(session->transfer), "prot",
			 shown_json(session->prot), "server_prot",
			 or_null(session->server_prot[0] != '\0', shown_json(session->server_prot)),
			 "protected", strcmp(session->prot, "P") == 0, "bytes", (json_int_t)session->bytes,
			 "age", seconds(session->transfer_ms));
}

static json_t *certificate(const struct answer_session *session)
{
	if (session->sha256[0] == '\0')
		return json_null();
	return json_pack("{s:o,s:o,s:o,s:o}", "subject", shown_json(session->subject), "issuer",
			 shown_json(session->issuer), "serial", shown_json(session->serial), "sha256",
			 shown_json(session->sha256));
}

/* TLS with the server, where policy wants it. */
static json_t *server_tls(const struct answer_session *session)
{
	if (session->server_name[0] == '\0')
		return json_null();
	return json_pack(
	    "{s:o,s:o,s:o,s:o,s:o,s:o,s:b}", "hostname", shown_json(session->server_name), "version",
	    or_null(session->server_tls[0] != '\0', shown_json(session->server_tls)), "cipher",
	    or_null(session->server_cipher[0] != '\0', shown_json(session->server_cipher)), "group",
	    or_null(session->server_group[0] != '\0', shown_json(session->server_group)), "issuer",
	    or_null(session->server_issuer[0] != '\0', shown_json(session->server_issuer)), "sha256",
	    or_null(session->server_sha256[0] != '\0', shown_json(session->server_sha256)), "resumed",
	    session->server_resumed);
}

static json_t *generation_of(const struct answers *answers, int32_t pid)
{
	for (size_t i = 0; i < answers->nworkers; i++)
		if (answers->workers[i].worker.pid == pid)
			return json_integer((json_int_t)answers->workers[i].worker.generation);
	return json_null();
}

json_t *client_json_session(const struct answers *answers, const struct answer_session *session)
{
	bool ruled = session->rule[0] != '\0';
	json_t *json = json_pack("{s:I,s:o,s:o,s:o,s:o,s:o}", "session", (json_int_t)session->session,
				 "client", endpoint(&session->remote), "dialled", endpoint(&session->local),
				 "listener", shown_json(session->listener), "age", seconds(session->age_ms),
				 "idle", seconds(session->idle_ms));

	if (json == NULL)
		return NULL;
	(void)json_object_set_new(json, "rule", or_null(ruled, shown_json(session->rule)));
	(void)json_object_set_new(json, "backend", or_null(ruled, shown_json(session->backend)));
	(void)json_object_set_new(json, "server", or_null(ruled, endpoint(&session->server)));
	(void)json_object_set_new(json, "user", or_null(session->user[0] != '\0', shown_json(session->user)));
	(void)json_object_set_new(json, "tls", or_null(session->tls[0] != '\0', shown_json(session->tls)));
	(void)json_object_set_new(json, "cipher",
				  or_null(session->cipher[0] != '\0', shown_json(session->cipher)));
	(void)json_object_set_new(json, "server_tls", server_tls(session));
	(void)json_object_set_new(json, "certificate", certificate(session));
	(void)json_object_set_new(json, "transfer", transfer(session));
	(void)json_object_set_new(json, "waits_at",
				  or_null(session->told.port != 0, endpoint(&session->told)));
	(void)json_object_set_new(json, "worker", json_integer(session->worker));
	(void)json_object_set_new(json, "generation", generation_of(answers, session->worker));
	return json;
}

int client_json_sessions(const struct answers *answers, FILE *out)
{
	json_t *list = json_array(), *silent = client_json_silent(answers);

	for (size_t i = 0; i < answers->nsessions; i++)
		(void)json_array_append_new(list, client_json_session(answers, &answers->sessions[i]));
	return json_print(json_pack("{s:b,s:o,s:o}", "whole", json_array_size(silent) == 0, "silent_workers",
				    silent, "sessions", list),
			  out);
}
