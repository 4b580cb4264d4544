/*
 * Prints the answers of a running attlsd as tables or JSON. Users and commands
 * come from clients, so texts are escaped for the terminal.
 */
#include "gateway/ctl/client-print.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/ctl/client-answers.h"

/* A client's text takes up to four characters for each byte. */
#define SHOWN_MAX (4 * 128 + 1)

/*
 * A client's text may contain control sequences for the terminal, so only printable
 * ASCII is shown as it is.
 */
static const char *shown(const char *text, char buf[static SHOWN_MAX])
{
	size_t at = 0;

	for (const unsigned char *c = (const unsigned char *)text; *c != '\0' && at + 5 <= SHOWN_MAX; c++)
		at += (size_t)snprintf(buf + at, SHOWN_MAX - at,
				       *c >= 0x20 && *c < 0x7f && *c != '\\' ? "%c" : "\\x%02x", *c);
	buf[at] = '\0';
	return buf;
}

#define AGE_MAX 32

/* "12s", "4m05s", "3h07m", "2d04h". */
static const char *age(uint64_t ms, char buf[static AGE_MAX])
{
	uint64_t s = ms / 1000;

	if (s < 60)
		(void)snprintf(buf, AGE_MAX, "%" PRIu64 "s", s);
	else if (s < 3600)
		(void)snprintf(buf, AGE_MAX, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		(void)snprintf(buf, AGE_MAX, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
	else
		(void)snprintf(buf, AGE_MAX, "%" PRIu64 "d%02" PRIu64 "h", s / 86400, s / 3600 % 24);
	return buf;
}

/* "0 B", "17.3 MiB". */
static const char *size(uint64_t bytes, char buf[static AGE_MAX])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB" };
	double value = (double)bytes;
	size_t unit = 0;

	if (bytes < 1024) {
		(void)snprintf(buf, AGE_MAX, "%" PRIu64 " B", bytes);
		return buf;
	}
	for (value /= 1024; value >= 1024 && unit + 1 < NELEM(units); value /= 1024)
		unit++;
	(void)snprintf(buf, AGE_MAX, "%.1f %s", value, units[unit]);
	return buf;
}

static const char *state_name(uint32_t state)
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
	char up[AGE_MAX], policy[AGE_MAX], failed[AGE_MAX];

	(void)fprintf(out, "attlsd %s, process %d, up %s%s%s\n", gateway->version, (int)gateway->pid,
		      age(gateway->up_ms, up), gateway->draining ? ", draining" : "",
		      gateway->reloading ? ", a reload is under way" : "");
	(void)fprintf(out, "policy %s, generation %" PRIu64 ", in force for %s\n", gateway->policy,
		      gateway->generation, age(gateway->policy_ms, policy));
	if (reload_has_failed(gateway))
		(void)fprintf(out, "the last reload failed %s ago: %s\n", age(gateway->failure_ms, failed),
			      gateway->failure);
	(void)fprintf(out, "%" PRIu64 " session%s, at most %" PRIu64 "\n\n", gateway->sessions,
		      gateway->sessions == 1 ? "" : "s", gateway->limit);
	(void)fprintf(out, "%8s  %10s  %-10s  %8s  %9s\n", "WORKER", "GENERATION", "STATE", "SESSIONS",
		      "TRANSFERS");
	for (size_t i = 0; i < answers->nworkers; i++) {
		const struct answer_worker *worker = &answers->workers[i].worker;

		(void)fprintf(out, "%8d  %10" PRIu64 "  %-10s  %8" PRIu64 "  %9" PRIu32 "\n",
			      (int)worker->pid, worker->generation, state_name(worker->state),
			      worker->sessions, worker->transfers);
	}
}

/* A long name would push all other columns aside, so it is cut; JSON has it whole. */
#define NAME_WIDTH_MAX 24

static const char *name(const char *text, char buf[static SHOWN_MAX])
{
	if (text[0] == '\0')
		return "-";
	(void)shown(text, buf);
	if (strlen(buf) > NAME_WIDTH_MAX)
		(void)snprintf(buf + NAME_WIDTH_MAX - 3, 4, "...");
	return buf;
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
static const char *cell(const struct answer_session *session, enum column column, char buf[static SHOWN_MAX])
{
	bool transfers = session->transfer[0] != '\0';

	switch (column) {
	case SESSION:
		(void)snprintf(buf, SHOWN_MAX, "%" PRIu64, session->session);
		return buf;
	case CLIENT:
		return ip_endpoint_format(&session->remote, buf);
	case USER:
		return name(session->user, buf);
	case RULE:
		return name(session->rule, buf);
	case TLS:
		return session->tls[0] != '\0' ? shown(session->tls, buf) : "clear";
	case AGE:
		return age(session->age_ms, buf);
	case IDLE:
		return age(session->idle_ms, buf);
	case SERVER:
		return session->rule[0] != '\0' ? ip_endpoint_format(&session->server, buf) : "-";
	case PROT:
		return !transfers ? "-" : session->protect != 0 ? "P" : "C";
	case BYTES:
		return transfers ? size(session->bytes, buf) : "-";
	case TRANSFER:
		return transfers ? shown(session->transfer, buf) : "-";
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

void client_print_sessions(const struct answers *answers, FILE *out)
{
	char buf[SHOWN_MAX];
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
	}
}

static int dump(json_t *json, FILE *out)
{
	int r = json == NULL ? -1 : json_dumpf(json, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));

	json_decref(json);
	return r == 0 && fputc('\n', out) != EOF ? 0 : -1;
}

static json_t *shown_json(const char *text)
{
	char buf[SHOWN_MAX];

	return json_string(shown(text, buf));
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

int client_json_status(const struct answers *answers, FILE *out)
{
	const struct answer_gateway *gateway = &answers->gateway;
	json_t *workers = json_array();

	for (size_t i = 0; i < answers->nworkers; i++) {
		const struct answer_worker *worker = &answers->workers[i].worker;

		(void)json_array_append_new(
		    workers,
		    json_pack("{s:i,s:I,s:s,s:I,s:i}", "pid", (int)worker->pid, "generation",
			      (json_int_t)worker->generation, "state", state_name(worker->state), "sessions",
			      (json_int_t)worker->sessions, "transfers", (int)worker->transfers));
	}
	return dump(json_pack("{s:o,s:i,s:o,s:I,s:o,s:o,s:I,s:I,s:b,s:o,s:b,s:o}", "version",
			      shown_json(gateway->version), "pid", (int)gateway->pid, "policy",
			      shown_json(gateway->policy), "generation", (json_int_t)gateway->generation,
			      "up", seconds(gateway->up_ms), "in_force", seconds(gateway->policy_ms),
			      "sessions", (json_int_t)gateway->sessions, "limit", (json_int_t)gateway->limit,
			      "reloading", gateway->reloading != 0, "reload_failed",
			      reload_failed_json(gateway), "draining", gateway->draining != 0, "workers",
			      workers),
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
	return json_pack("{s:o,s:b,s:I,s:o}", "command", shown_json(session->transfer), "protected",
			 session->protect != 0, "bytes", (json_int_t)session->bytes, "age",
			 seconds(session->transfer_ms));
}

static json_t *generation_of(const struct answers *answers, int32_t pid)
{
	for (size_t i = 0; i < answers->nworkers; i++)
		if (answers->workers[i].worker.pid == pid)
			return json_integer((json_int_t)answers->workers[i].worker.generation);
	return json_null();
}

static json_t *session_json(const struct answers *answers, const struct answer_session *session)
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
	(void)json_object_set_new(json, "transfer", transfer(session));
	(void)json_object_set_new(json, "worker", json_integer(session->worker));
	(void)json_object_set_new(json, "generation", generation_of(answers, session->worker));
	return json;
}

int client_json_sessions(const struct answers *answers, FILE *out)
{
	json_t *list = json_array(), *silent = json_array();

	for (size_t i = 0; i < answers->nsessions; i++)
		(void)json_array_append_new(list, session_json(answers, &answers->sessions[i]));
	for (size_t i = 0; i < answers->nworkers; i++)
		if (client_is_silent(&answers->workers[i]))
			(void)json_array_append_new(silent, json_integer(answers->workers[i].worker.pid));
	return dump(json_pack("{s:b,s:o,s:o}", "whole", json_array_size(silent) == 0, "silent_workers",
			      silent, "sessions", list),
		    out);
}
