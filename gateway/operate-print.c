#include "gateway/operate-print.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "gateway/util.h"

/* Of a text that a client sent, escaped: four characters for each byte. */
#define SHOWN_MAX (4 * 128 + 1)

/* What a client sent may move a terminal's cursor: only printable ASCII is shown. */
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
	case WORKER_LAGS:
		return "lags";
	case WORKER_RETIRES:
		return "retires";
	case WORKER_DRAINS:
		return "drains";
	}
	return "unknown";
}

void operate_print_status(const struct answers *answers, FILE *out)
{
	const struct answer_gateway *gateway = &answers->gateway;
	char up[AGE_MAX], policy[AGE_MAX];

	(void)fprintf(out, "attlsd %s, process %d, up %s%s%s\n", gateway->version, (int)gateway->pid,
		      age(gateway->up_ms, up), gateway->draining ? ", draining" : "",
		      gateway->reloading ? ", a reload is under way" : "");
	(void)fprintf(out, "policy %s, generation %" PRIu64 ", in force for %s\n", gateway->policy,
		      gateway->generation, age(gateway->policy_ms, policy));
	(void)fprintf(out, "%" PRIu64 " session%s, at most %" PRIu64 "\n\n", gateway->sessions,
		      gateway->sessions == 1 ? "" : "s", gateway->limit);
	(void)fprintf(out, "%8s  %10s  %-8s  %8s  %9s\n", "WORKER", "GENERATION", "STATE", "SESSIONS",
		      "TRANSFERS");
	for (size_t i = 0; i < answers->nworkers; i++) {
		const struct answer_worker *worker = &answers->workers[i];

		(void)fprintf(out, "%8d  %10" PRIu64 "  %-8s  %8" PRIu64 "  %9" PRIu32 "\n", (int)worker->pid,
			      worker->generation, state_name(worker->state), worker->sessions,
			      worker->transfers);
	}
}

enum { COLUMNS = 9, CELL_MAX = SHOWN_MAX + 64 };

static const char *const heads[COLUMNS] = { "SESSION", "CLIENT", "USER",   "RULE",    "TLS",
					    "AGE",     "IDLE",	 "SERVER", "TRANSFER" };

/* One cell of the row of a session. */
static const char *cell(const struct answer_session *session, size_t column, char buf[static CELL_MAX])
{
	char text[SHOWN_MAX], bytes[AGE_MAX], ip[IP_TEXT_MAX];

	switch (column) {
	case 0:
		(void)snprintf(buf, CELL_MAX, "%" PRIu64, session->session);
		return buf;
	case 1:
		(void)snprintf(buf, CELL_MAX, "%s", ip_endpoint_format(&session->remote, ip));
		return buf;
	case 2:
		return session->user[0] != '\0' ? shown(session->user, buf) : "-";
	case 3:
		return session->rule[0] != '\0' ? shown(session->rule, buf) : "-";
	case 4:
		return session->tls[0] != '\0' ? shown(session->tls, buf) : "clear";
	case 5:
		return age(session->age_ms, buf);
	case 6:
		return age(session->idle_ms, buf);
	case 7:
		(void)snprintf(buf, CELL_MAX, "%s",
			       session->rule[0] != '\0' ? ip_endpoint_format(&session->server, ip) : "-");
		return buf;
	default:
		if (session->transfer[0] == '\0')
			return "-";
		(void)snprintf(buf, CELL_MAX, "%s, %s, %s", shown(session->transfer, text),
			       session->protect ? "protected" : "clear", size(session->bytes, bytes));
		return buf;
	}
}

void operate_print_sessions(const struct answers *answers, FILE *out)
{
	char buf[CELL_MAX];
	size_t widths[COLUMNS];

	for (size_t column = 0; column < COLUMNS; column++) {
		widths[column] = strlen(heads[column]);
		for (size_t i = 0; i < answers->nsessions; i++) {
			size_t len = strlen(cell(&answers->sessions[i], column, buf));

			if (len > widths[column])
				widths[column] = len;
		}
	}
	widths[COLUMNS - 1] = 0; /* no blanks at the end of a line */
	for (size_t column = 0; column < COLUMNS; column++)
		(void)fprintf(out, "%s%-*s", column == 0 ? "" : "  ", (int)widths[column], heads[column]);
	(void)fputc('\n', out);
	for (size_t i = 0; i < answers->nsessions; i++) {
		for (size_t column = 0; column < COLUMNS; column++)
			(void)fprintf(out, "%s%-*s", column == 0 ? "" : "  ", (int)widths[column],
				      cell(&answers->sessions[i], column, buf));
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

int operate_json_status(const struct answers *answers, FILE *out)
{
	const struct answer_gateway *gateway = &answers->gateway;
	json_t *workers = json_array();

	for (size_t i = 0; i < answers->nworkers; i++) {
		const struct answer_worker *worker = &answers->workers[i];

		(void)json_array_append_new(
		    workers,
		    json_pack("{s:i,s:I,s:s,s:I,s:i}", "pid", (int)worker->pid, "generation",
			      (json_int_t)worker->generation, "state", state_name(worker->state), "sessions",
			      (json_int_t)worker->sessions, "transfers", (int)worker->transfers));
	}
	return dump(json_pack("{s:o,s:i,s:o,s:I,s:o,s:o,s:I,s:I,s:b,s:b,s:o}", "version",
			      shown_json(gateway->version), "pid", (int)gateway->pid, "policy",
			      shown_json(gateway->policy), "generation", (json_int_t)gateway->generation,
			      "up", seconds(gateway->up_ms), "in_force", seconds(gateway->policy_ms),
			      "sessions", (json_int_t)gateway->sessions, "limit", (json_int_t)gateway->limit,
			      "reloading", gateway->reloading, "draining", gateway->draining, "workers",
			      workers),
		    out);
}

/* What there is not is null. */
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
	return json_pack("{s:o,s:b,s:I}", "command", shown_json(session->transfer), "protected",
			 session->protect, "bytes", (json_int_t)session->bytes);
}

int operate_json_sessions(const struct answers *answers, FILE *out)
{
	json_t *list = json_array();

	for (size_t i = 0; i < answers->nsessions; i++) {
		const struct answer_session *session = &answers->sessions[i];
		bool ruled = session->rule[0] != '\0', tls = session->tls[0] != '\0';

		(void)json_array_append_new(
		    list,
		    json_pack("{s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:i,s:o}", "session",
			      (json_int_t)session->session, "client", endpoint(&session->remote), "dialled",
			      endpoint(&session->local), "server", or_null(ruled, endpoint(&session->server)),
			      "listener", shown_json(session->listener), "rule",
			      or_null(ruled, shown_json(session->rule)), "user",
			      or_null(session->user[0] != '\0', shown_json(session->user)), "tls",
			      or_null(tls, shown_json(session->tls)), "cipher",
			      or_null(tls, shown_json(session->cipher)), "age", seconds(session->age_ms),
			      "idle", seconds(session->idle_ms), "worker", (int)session->worker, "transfer",
			      transfer(session)));
	}
	return dump(json_pack("{s:b,s:o}", "whole", answers->whole, "sessions", list), out);
}
