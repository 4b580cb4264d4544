/*
 * Checks an audit trail. Each process counts its events from 1, so a line that somebody has removed
 * leaves a gap, and one that somebody has added makes a number come twice. The monitor says
 * of each worker how many sessions it got, so a worker that hides some is found as well.
 */
#include "gateway/ctl/audit-verify.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "gateway/base/audit-text.h"
#include "gateway/ctl/audit-starts.h"
#include "gateway/view/json-print.h"

#define EXIT_UNSURE    3
#define FINDINGS_MAX   1000 /* of each kind are listed; all are counted */
#define NAME_MAX_BYTES 64   /* of a process: boot and pid */

enum kind {
	KIND_GAP,
	KIND_LOST,
	KIND_TWICE,
	KIND_BROKEN,
	KIND_HIDDEN,
	KIND_AFTER_END,
	KIND_LATE,
	KIND_NO_END,
	KIND_UNFINISHED,
	KIND_OPEN,
	KIND_CUT,
	KIND_CLOCK,
	KINDS
};

enum weight { NOTE = 0, UNSURE, WRONG };

static const struct {
	const char *name, *words;
	enum weight weight;
} kinds[KINDS] = {
	[KIND_GAP] = { "gaps", "events are missing, and nothing says why", WRONG },
	[KIND_LOST] = { "lost", "events could not be written at the time, and attlsd says so", WRONG },
	[KIND_TWICE] = { "twice", "a number comes twice, or too late", WRONG },
	[KIND_BROKEN] = { "broken", "not a line of this trail", WRONG },
	[KIND_HIDDEN] = { "hidden", "a worker got another number of sessions than it has told of", WRONG },
	[KIND_AFTER_END] = { "after_end", "an event of a process that has ended", WRONG },
	[KIND_LATE] = { "late", "the first events of a process are not in these files", UNSURE },
	[KIND_NO_END] = { "no_end",
			  "the last event of a process is not in these files, so more may be missing",
			  UNSURE },
	[KIND_UNFINISHED] = { "unfinished", "a session ended without an event: its worker died", NOTE },
	[KIND_OPEN] = { "open", "sessions have not ended yet", NOTE },
	[KIND_CUT] = { "cut", "values were too long and are cut", NOTE },
	[KIND_CLOCK] = { "clock", "the clock went back", NOTE },
};

struct process {
	char name[NAME_MAX_BYTES];
	struct trail_start *start; /* NULL: it has no event */
	json_int_t last;	   /* number of its last event; 0: none */
	json_int_t sessions;	   /* that it has told of */
	json_int_t missing, told;  /* events missing so far, and as many as it says that it has lost */
	bool whole;		   /* its first event is here */
	bool stopped;		   /* it has said its last word */
	bool ended;		   /* the monitor says that it is gone */
	char time[40];
	UT_hash_handle hh;
};

struct open_session {
	json_int_t id;
	const struct process *process;
	UT_hash_handle hh;
};

struct verify {
	const char *path;
	size_t line;
	json_int_t events, sessions;
	bool no_memory; /* so the findings are not all */
	uint64_t counts[KINDS];
	json_t *findings;
	struct trail_start *starts;
	struct process *processes;
	struct open_session *open;
	char first[40], last[40];
};

/* Texts of a trail are printed on terminals and as JSON, and may be cut inside a character. */
static void make_safe(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7e)
			*text = '?';
}

static void find(struct verify *v, enum kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void find(struct verify *v, enum kind kind, const char *format, ...)
{
	char text[320];
	va_list args;
	json_t *path;

	if (v->counts[kind]++ >= FINDINGS_MAX)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	make_safe(text);
	path = json_string(v->path);
	(void)json_array_append_new(v->findings, json_pack("{s:s,s:o,s:I,s:s}", "kind", kinds[kind].name,
							   "file", path != NULL ? path : json_string("?"),
							   "line", (json_int_t)v->line, "detail", text));
}

static const char *text_of(const json_t *event, const char *key)
{
	const char *text = json_string_value(json_object_get(event, key));

	return text != NULL ? text : "";
}

static json_int_t number_of(const json_t *event, const char *key)
{
	return json_integer_value(json_object_get(event, key));
}

static bool is_event(const json_t *event)
{
	static const char *const texts[] = { "boot", "time", "event" };
	static const char *const numbers[] = { "pid", "seq" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (text_of(event, texts[i])[0] == '\0')
			return false;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (number_of(event, numbers[i]) <= 0)
			return false;
	return number_of(event, "schema") == AUDIT_SCHEMA;
}

static struct process *process_find(struct verify *v, const char *boot, json_int_t pid)
{
	struct process *process;
	char name[NAME_MAX_BYTES];

	(void)snprintf(name, sizeof(name), "%.32s/%" JSON_INTEGER_FORMAT, boot, pid);
	HASH_FIND_STR(v->processes, name, process);
	if (process != NULL)
		return process;
	process = calloc(1, sizeof(*process));
	if (process == NULL) {
		v->no_memory = true;
		return NULL;
	}
	(void)snprintf(process->name, sizeof(process->name), "%s", name);
	HASH_ADD_STR(v->processes, name, process);
	return process;
}

static void session_begins(struct verify *v, const struct process *process, json_int_t id)
{
	struct open_session *session = calloc(1, sizeof(*session));

	v->sessions++;
	if (session == NULL) {
		v->no_memory = true;
		return;
	}
	session->id = id;
	session->process = process;
	HASH_ADD(hh, v->open, id, sizeof(session->id), session);
}

static void session_ends(struct verify *v, json_int_t id)
{
	struct open_session *session;

	HASH_FIND(hh, v->open, &id, sizeof(id), session);
	if (session == NULL)
		return; /* it began in an earlier file */
	HASH_DEL(v->open, session);
	free(session);
}

/* The sessions of a process that is gone have no end of their own. */
static void sessions_die(struct verify *v, const struct process *process)
{
	struct open_session *session, *next;

	HASH_ITER (hh, v->open, session, next) {
		if (session->process != process)
			continue;
		find(v, KIND_UNFINISHED, "session %" JSON_INTEGER_FORMAT " of process %s", session->id,
		     process->name);
		HASH_DEL(v->open, session);
		free(session);
	}
}

/* The monitor has seen the end of a worker. */
static void worker_ended(struct verify *v, const json_t *event)
{
	struct process *worker = process_find(v, text_of(event, "boot"), number_of(event, "worker"));
	json_int_t given = number_of(event, "sessions");

	if (worker == NULL || (worker->last == 0 && given == 0))
		return; /* it did not come as far as its first event */
	if (!worker->stopped)
		find(v, KIND_NO_END, "process %s", worker->name);
	else if (worker->whole && worker->sessions != given)
		find(v, KIND_HIDDEN,
		     "process %s got %" JSON_INTEGER_FORMAT
		     " sessions, and has told of %" JSON_INTEGER_FORMAT,
		     worker->name, given, worker->sessions);
	worker->ended = true;
	sessions_die(v, worker);
}

/* A process with the number of one that is gone. */
static void begin_anew(struct process *process)
{
	process->last = process->sessions = 0;
	process->ended = process->stopped = false;
	process->time[0] = '\0';
}

/*
 * Events that a process says were lost explain as many that are missing. What it lost between two
 * events that it kept for a while is told after both, so only the sums count.
 */
static void balance(struct verify *v, const struct process *process)
{
	json_int_t unknown = process->missing > process->told ? process->missing - process->told : 0;

	if (process->missing > 0 && unknown < process->missing)
		find(v, KIND_LOST, "%" JSON_INTEGER_FORMAT " events of process %s",
		     process->missing - unknown, process->name);
	if (unknown > 0)
		find(v, KIND_GAP, "%" JSON_INTEGER_FORMAT " events of process %s", unknown, process->name);
}

static void check_number(struct verify *v, struct process *process, const json_t *event)
{
	json_int_t seq = number_of(event, "seq");
	bool starts = strcmp(text_of(event, "event"), "process-start") == 0;

	if (starts && seq == 1 && process->last != 0 && (process->ended || process->stopped)) {
		balance(v, process);
		process->missing = process->told = 0;
		begin_anew(process);
	}
	process->told += number_of(event, "lost");
	if (process->ended || (process->stopped && seq > process->last))
		find(v, KIND_AFTER_END, "number %" JSON_INTEGER_FORMAT " of process %s", seq, process->name);
	if (process->last == 0) {
		process->whole = starts && seq == 1;
		if (seq != 1)
			find(v, KIND_LATE, "process %s begins with number %" JSON_INTEGER_FORMAT,
			     process->name, seq);
	} else if (seq <= process->last) {
		find(v, KIND_TWICE,
		     "number %" JSON_INTEGER_FORMAT " of process %s, after %" JSON_INTEGER_FORMAT, seq,
		     process->name, process->last);
		return;
	} else {
		process->missing += seq - process->last - 1;
	}
	process->last = seq;
}

static void take(struct verify *v, const json_t *event)
{
	struct process *process = process_find(v, text_of(event, "boot"), number_of(event, "pid"));
	const char *name = text_of(event, "event"), *when = text_of(event, "time");

	if (process == NULL)
		return;
	v->events++;
	process->start = audit_starts_note(&v->starts, text_of(event, "boot"), text_of(event, "node"),
					   (uint64_t)v->events);
	v->no_memory |= process->start == NULL;
	check_number(v, process, event);
	if (process->time[0] != '\0' && strcmp(when, process->time) < 0)
		find(v, KIND_CLOCK, "from %s to %.32s", process->time, when);
	(void)snprintf(process->time, sizeof(process->time), "%s", when);
	if (v->first[0] == '\0' || strcmp(when, v->first) < 0)
		(void)snprintf(v->first, sizeof(v->first), "%s", when);
	if (strcmp(when, v->last) > 0)
		(void)snprintf(v->last, sizeof(v->last), "%s", when);
	make_safe(v->first);
	make_safe(v->last);
	if (json_is_true(json_object_get(event, "cut")))
		find(v, KIND_CUT, "number %" JSON_INTEGER_FORMAT " of process %s", number_of(event, "seq"),
		     process->name);
	if (strcmp(name, "session-start") == 0) {
		process->sessions++;
		session_begins(v, process, number_of(event, "session"));
	} else if (strcmp(name, "session-refused") == 0) {
		process->sessions++;
	} else if (strcmp(name, "session-end") == 0) {
		session_ends(v, number_of(event, "session"));
	} else if (strcmp(name, "process-stop") == 0) {
		process->stopped = true;
		process->sessions += number_of(event, "sessions_unlisted");
		sessions_die(v, process);
	} else if (strcmp(name, "worker-ended") == 0) {
		worker_ended(v, event);
	}
}

/* Syslog puts its own words before an event, and a line that was cut off has the next one after it. */
static void take_line(struct verify *v, const char *line, size_t len)
{
	static const char head[] = "{\"schema\":", cookie[] = "@cee: ";
	const char *at = NULL;
	json_error_t error;
	json_t *event;

	if (len == 0)
		return; /* the newline after a line that was cut off */
	for (size_t i = 0; i + sizeof(head) - 1 <= len; i++)
		if (memcmp(line + i, head, sizeof(head) - 1) == 0)
			at = line + i; /* no value can hold these bytes, since quotes are escaped */
	event = at == NULL ? NULL : json_loadb(at, len - (size_t)(at - line), JSON_REJECT_DUPLICATES, &error);
	if (event == NULL || !is_event(event)) {
		find(v, KIND_BROKEN, "%.*s", (int)(len < 60 ? len : 60), line);
	} else {
		size_t before = (size_t)(at - line);

		if (before > 0 && (before < sizeof(cookie) - 1 ||
				   memcmp(at - (sizeof(cookie) - 1), cookie, sizeof(cookie) - 1) != 0))
			find(v, KIND_BROKEN, "%.*s", (int)(before < 60 ? before : 60), line);
		take(v, event);
	}
	json_decref(event);
}

static int read_file(struct verify *v, const char *path)
{
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int r = 0;

	if (in == NULL) {
		(void)fprintf(stderr, "attlsctl: %s: %s\n", path, strerror(errno));
		return -1;
	}
	v->path = path;
	v->line = 0;
	while ((n = getline(&line, &size, in)) > 0) {
		v->line++;
		take_line(v, line, line[n - 1] == '\n' ? (size_t)n - 1 : (size_t)n);
	}
	if (ferror(in)) {
		(void)fprintf(stderr, "attlsctl: %s: %s\n", path, strerror(errno));
		r = -1;
	}
	free(line);
	if (in != stdin)
		(void)fclose(in);
	return r;
}

static bool is_unfinished(const struct process *process)
{
	return process->start != NULL && !process->stopped && !process->ended;
}

/* Nobody may have been left to see the end of these. */
static void check_ends(struct verify *v)
{
	const struct process *process;

	for (process = v->processes; process != NULL; process = process->hh.next)
		if (is_unfinished(process))
			process->start->unfinished = true;
	for (process = v->processes; process != NULL; process = process->hh.next)
		if (is_unfinished(process) && audit_starts_is_past(v->starts, process->start))
			find(v, KIND_NO_END, "process %s", process->name);
}

static void finish(struct verify *v)
{
	struct process *process, *next_process;
	struct open_session *session, *next;

	v->path = "";
	v->line = 0;
	HASH_ITER (hh, v->processes, process, next_process)
		balance(v, process);
	check_ends(v);
	HASH_ITER (hh, v->open, session, next) {
		find(v, KIND_OPEN, "session %" JSON_INTEGER_FORMAT " of process %s", session->id,
		     session->process->name);
		HASH_DEL(v->open, session);
		free(session);
	}
	HASH_ITER (hh, v->processes, process, next_process) {
		HASH_DEL(v->processes, process);
		free(process);
	}
	audit_starts_free(&v->starts);
}

static int status_of(const struct verify *v)
{
	enum weight worst = NOTE;

	for (size_t i = 0; i < KINDS; i++)
		if (v->counts[i] > 0 && kinds[i].weight > worst)
			worst = kinds[i].weight;
	return worst == WRONG ? EXIT_FAILURE : worst == UNSURE ? EXIT_UNSURE : EXIT_SUCCESS;
}

static int print_json(const struct verify *v, int status)
{
	json_t *counts = json_object();

	for (size_t i = 0; i < KINDS; i++)
		(void)json_object_set_new(counts, kinds[i].name, json_integer((json_int_t)v->counts[i]));
	return json_print(json_pack("{s:b,s:I,s:I,s:s,s:s,s:o,s:O}", "ok", status == EXIT_SUCCESS, "events",
				    v->events, "sessions", v->sessions, "first", v->first, "last", v->last,
				    "counts", counts, "findings", v->findings),
			  stdout);
}

static void print_safely(const char *text)
{
	for (; *text != '\0'; text++)
		(void)putchar(*text >= 0x20 && *text < 0x7f ? *text : '?');
}

static void print_text(const struct verify *v, int status)
{
	json_t *finding;
	size_t i;

	json_array_foreach (v->findings, i, finding) {
		(void)printf("%-10s ", text_of(finding, "kind"));
		if (number_of(finding, "line") > 0) {
			print_safely(text_of(finding, "file"));
			(void)printf(":%" JSON_INTEGER_FORMAT ": ", number_of(finding, "line"));
		}
		(void)fputs(text_of(finding, "detail"), stdout);
		(void)putchar('\n');
	}
	(void)printf("%" JSON_INTEGER_FORMAT " events and %" JSON_INTEGER_FORMAT " sessions, from %s to %s\n",
		     v->events, v->sessions, v->first[0] != '\0' ? v->first : "-",
		     v->last[0] != '\0' ? v->last : "-");
	for (i = 0; i < KINDS; i++)
		if (v->counts[i] > 0)
			(void)printf("%s %" PRIu64 ": %s\n", kinds[i].name, v->counts[i], kinds[i].words);
	(void)puts(status == EXIT_SUCCESS  ? "complete"
		   : status == EXIT_UNSURE ? "cannot tell whether the trail is complete"
					   : "NOT COMPLETE");
}

int audit_verify(char *const *paths, size_t n, bool json)
{
	struct verify v = { .findings = json_array() };
	int status = EXIT_SUCCESS;

	for (size_t i = 0; i < n; i++)
		if (read_file(&v, paths[i]) < 0)
			status = EXIT_FAILURE;
	finish(&v);
	if (v.no_memory) {
		(void)fputs(
		    "attlsctl: not enough memory for so many processes and sessions; give fewer files\n",
		    stderr);
		status = EXIT_FAILURE;
	}
	if (status == EXIT_SUCCESS)
		status = v.events == 0 && v.counts[KIND_BROKEN] == 0 ? EXIT_UNSURE : status_of(&v);
	if (json) {
		if (print_json(&v, status) < 0)
			status = EXIT_FAILURE;
	} else {
		print_text(&v, status);
	}
	json_decref(v.findings);
	return status;
}
