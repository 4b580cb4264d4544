/*
 * Lines for people: the time, the end of the session's number, who speaks, and what.
 *
 *   14:03:07.123 #08805 C> STOR report.txt
 *   14:03:07.125 #08805 -- refused by secure_dataconn (policy.yaml:41)
 */
#include "gateway/view/trace-print.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/util.h"
#include "gateway/base/tls-alert.h"
#include "gateway/view/client-text.h"

/* The client is on the left, the server on the right. */
static const struct {
	const char *mark, *name;
} kinds[TRACE_KINDS] = {
	[TRACE_SESSION] = { "--", "session" },
	[TRACE_FROM_CLIENT] = { "C>", "from-client" },
	[TRACE_TO_CLIENT] = { "<C", "to-client" },
	[TRACE_TO_SERVER] = { "S>", "to-server" },
	[TRACE_FROM_SERVER] = { "<S", "from-server" },
	[TRACE_EVENT] = { "--", "event" },
	[TRACE_DATA] = { "--", "data" },
	[TRACE_LOST] = { "--", "lost" },
};

/* How much of a session's number tells it apart from others at the same time. */
#define TAG_MODULUS 100000

/* A record of events has whole strings: the last byte is a NUL, so no search can leave it. */
static bool has_strings(const struct answer_trace *record)
{
	size_t n = 0;

	if (record->len == 0 || record->text[record->len - 1] != '\0')
		return false;
	for (size_t i = 0; i < record->len; i++)
		n += record->text[i] == '\0';
	return n % 2 == 1; /* the name, and pairs */
}

bool trace_print_check(struct answer_trace *record, pid_t sender)
{
	if (record->kind == TRACE_NONE || record->kind >= TRACE_KINDS || record->len > sizeof(record->text))
		return false;
	if (sender != 0)
		record->worker = (int32_t)sender;
	return (record->kind != TRACE_EVENT && record->kind != TRACE_SESSION) || has_strings(record);
}

static void put_bytes(FILE *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte >= 0x20 && byte < 0x7f && byte != '\\')
			(void)fputc(byte, out);
		else
			(void)fprintf(out, "\\x%02x", byte);
	}
}

static const char *next(const char *text)
{
	return text + strlen(text) + 1;
}

/* The value of a field; NULL: it has none. */
static const char *field(const struct answer_trace *record, const char *key)
{
	for (const char *at = next(record->text); at < record->text + record->len; at = next(next(at)))
		if (strcmp(at, key) == 0)
			return next(at);
	return NULL;
}

static bool is_word(const char *text)
{
	return text[0] != '\0' && strpbrk(text, " \"=") == NULL;
}

static void put_value(FILE *out, const char *text)
{
	bool word = is_word(text);

	(void)fputs(word ? "" : "\"", out);
	put_bytes(out, text, strlen(text));
	(void)fputs(word ? "" : "\"", out);
}

/* Who decided: "secure_dataconn (policy.yaml:41)". */
static void put_decision(const struct trace_print *print, const char *key, const char *line)
{
	put_bytes(print->out, key, strlen(key));
	if (line == NULL) {
		(void)fputs(" (its default)", print->out);
		return;
	}
	(void)fputs(" (", print->out);
	put_bytes(print->out, print->policy, strlen(print->policy));
	(void)fputc(':', print->out);
	put_bytes(print->out, line, strlen(line));
	(void)fputc(')', print->out);
}

static bool is_extra(const char *key)
{
	static const char *const keys[] = { "key", "line", "alert", "alert_from" };

	for (size_t i = 0; i < NELEM(keys); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

static void put_event(const struct trace_print *print, const struct answer_trace *record)
{
	const char *key = field(record, "key"), *line = field(record, "line");
	const char *alert = field(record, "alert"), *from = field(record, "alert_from");

	if (strcmp(record->text, "refused-command") == 0) {
		/* without a key, a server, a port or the command itself may be the cause: the reply tells */
		(void)fputs(key != NULL ? "refused by " : "refused by attlsd; no key decided", print->out);
		if (key != NULL)
			put_decision(print, key, line);
		return;
	}
	put_bytes(print->out, record->text, strlen(record->text));
	for (const char *at = next(record->text); at < record->text + record->len; at = next(next(at))) {
		if (is_extra(at) || next(at)[0] == '\0')
			continue;
		(void)fputc(' ', print->out);
		put_bytes(print->out, at, strlen(at));
		(void)fputc('=', print->out);
		put_value(print->out, next(at));
	}
	if (key != NULL) {
		(void)fputs(", by ", print->out);
		put_decision(print, key, line);
	}
	if (alert == NULL || from == NULL)
		return;
	(void)fputs("; the ", print->out);
	put_bytes(print->out, from, strlen(from));
	(void)fputs(" sent the alert ", print->out);
	put_bytes(print->out, alert, strlen(alert));
	if (tls_alert_meaning(alert) != NULL)
		(void)fprintf(print->out, ": %s", tls_alert_meaning(alert));
}

static void put_session(const struct trace_print *print, const struct answer_trace *record)
{
	(void)fprintf(print->out, "session %" PRIu64 ":", record->session);
	for (const char *at = next(record->text); at < record->text + record->len; at = next(next(at))) {
		(void)fputs(at == next(record->text) ? " " : ", ", print->out);
		put_bytes(print->out, at, strlen(at));
		(void)fputc(' ', print->out);
		put_value(print->out, next(at));
	}
}

static void put_data(const struct trace_print *print, const struct answer_trace *record)
{
	char text[64], size[CLIENT_AGE_MAX], rate[CLIENT_AGE_MAX];
	uint64_t bytes, ms;

	(void)snprintf(text, sizeof(text), "%.*s", (int)record->len, record->text);
	if (sscanf(text, "%" SCNu64 " %" SCNu64, &bytes, &ms) != 2) {
		put_bytes(print->out, record->text, record->len);
		return;
	}
	(void)fprintf(print->out, "data %s", client_text_size(bytes, size));
	if (ms > 0)
		(void)fprintf(print->out, ", %s/s on average",
			      client_text_size((uint64_t)((double)bytes * 1000 / (double)ms), rate));
}

static void put_text(const struct trace_print *print, const struct answer_trace *record)
{
	time_t seconds = (time_t)(record->ns / 1000000000u);
	struct tm tm = { .tm_year = 0 };
	char when[16];

	(void)localtime_r(&seconds, &tm);
	(void)strftime(when, sizeof(when), "%H:%M:%S", &tm);
	(void)fprintf(print->out, "%s.%03u ", when, (unsigned)(record->ns / 1000000u % 1000u));
	if (record->session != 0)
		(void)fprintf(print->out, "#%05u ", (unsigned)(record->session % TAG_MODULUS));
	(void)fprintf(print->out, "%s ", kinds[record->kind].mark);
	if (record->kind == TRACE_SESSION)
		put_session(print, record);
	else if (record->kind == TRACE_EVENT)
		put_event(print, record);
	else if (record->kind == TRACE_DATA)
		put_data(print, record);
	else if (record->kind == TRACE_LOST)
		(void)fprintf(print->out, "%" PRIu64 " events lost: they came faster than they were read",
			      record->lost);
	else
		put_bytes(print->out, record->text, record->len);
	(void)fputs(record->cut != 0 ? "...\n" : "\n", print->out);
}

/* Text for JSON, escaped as in lines. */
static json_t *shown(const char *text, size_t len)
{
	char buf[4 * TRACE_TEXT_MAX + 1];
	FILE *out = fmemopen(buf, sizeof(buf), "w");

	if (out == NULL)
		return NULL;
	put_bytes(out, text, len);
	(void)fputc('\0', out);
	return fclose(out) == 0 ? json_string(buf) : NULL;
}

static json_t *shown_fields(const struct answer_trace *record)
{
	json_t *fields = json_object();

	for (const char *at = next(record->text); at < record->text + record->len; at = next(next(at))) {
		char key[CLIENT_SHOWN_MAX];

		(void)json_object_set_new(fields, client_text_shown(at, key),
					  shown(next(at), strlen(next(at))));
	}
	return fields;
}

static void put_json(const struct trace_print *print, const struct answer_trace *record)
{
	time_t seconds = (time_t)(record->ns / 1000000000u);
	struct tm tm = { .tm_year = 0 };
	char when[32], whole[40];
	json_t *json;

	(void)gmtime_r(&seconds, &tm);
	(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(whole, sizeof(whole), "%s.%06uZ", when, (unsigned)(record->ns / 1000u % 1000000u));
	json = json_pack("{s:s, s:I, s:i, s:s}", "time", whole, "session", (json_int_t)record->session,
			 "worker", (int)record->worker, "kind", kinds[record->kind].name);
	if (record->kind == TRACE_LOST) {
		(void)json_object_set_new(json, "lost", json_integer((json_int_t)record->lost));
	} else if (record->kind == TRACE_EVENT || record->kind == TRACE_SESSION) {
		(void)json_object_set_new(json, "event", shown(record->text, strlen(record->text)));
		(void)json_object_set_new(json, "fields", shown_fields(record));
	} else {
		(void)json_object_set_new(json, "text", shown(record->text, record->len));
	}
	if (record->cut != 0)
		(void)json_object_set_new(json, "cut", json_true());
	(void)json_dumpf(json, print->out, JSON_COMPACT); /* the caller looks at the file's errors */
	(void)fputc('\n', print->out);
	json_decref(json);
}

void trace_print(const struct trace_print *print, const struct answer_trace *record)
{
	if (print->json)
		put_json(print, record);
	else
		put_text(print, record);
}
