/*
 * Prints what `attlsctl events` shows: the last lines of the logs of all processes that
 * say something is wrong, with what to do about it. client-answers.c has made the texts
 * safe to print.
 */
#include "gateway/view/client-events.h"

#include <inttypes.h>
#include <time.h>

#include "gateway/base/util.h"
#include "gateway/view/client-answers.h"
#include "gateway/view/client-json.h"
#include "gateway/view/event-fix.h"
#include "gateway/view/json-print.h"
#include "policy/policy.h"

#define FIX_INDENT 28 /* under the event */

static const char *level_of(const struct answer_event *event)
{
	return event->level == LOG_LEVEL_ERROR ? "error" : "warning";
}

/* NULL: none is known. */
static const char *fix_of(const struct answer_event *event)
{
	return event->fix[0] != '\0' ? event->fix : event_fix(event->event, event->text);
}

void client_print_events(const struct answers *answers, FILE *out)
{
	char when[32];

	for (size_t i = 0; i < answers->nevents; i++) {
		const struct answer_event *event = &answers->events[i];
		time_t time_s = (time_t)event->time_s;
		struct tm tm;

		if (gmtime_r(&time_s, &tm) == NULL ||
		    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
			(void)snprintf(when, sizeof(when), "-");
		(void)fprintf(out, "%s %-7s %s %s\n", when, level_of(event), event->event, event->text);
		if (fix_of(event) != NULL)
			(void)fprintf(out, "%*s fix: %s\n", FIX_INDENT, "", fix_of(event));
	}
	if (answers->nevents == 0)
		(void)fputs("no warnings and no errors since the start of these processes\n", out);
}

static json_t *event_json(const struct answer_event *event)
{
	return json_pack("{s:I,s:s,s:s,s:s,s:s?,s:i}", "time", (json_int_t)event->time_s, "level",
			 level_of(event), "event", event->event, "text", event->text, "fix", fix_of(event),
			 "process", (int)event->process);
}

/* How many of the newest events are this process's, from `i` on? */
static size_t newer_of(const struct answers *answers, size_t i, int32_t process)
{
	size_t n = 0;

	for (; i < answers->nevents; i++)
		n += answers->events[i].process == process;
	return n;
}

json_t *client_events_json(const struct answers *answers, size_t n)
{
	bool all = answers->nevents <= n;
	json_t *list = json_array();

	for (size_t i = answers->nevents; i > 0 && json_array_size(list) < n; i--) {
		const struct answer_event *event = &answers->events[i - 1];

		/* a worker under an attacker's control must not push all others out */
		if (all || newer_of(answers, i - 1, event->process) <= n / 2)
			(void)json_array_insert_new(list, 0, event_json(event));
	}
	return list;
}

int client_json_events(const struct answers *answers, FILE *out)
{
	json_t *silent = client_json_silent(answers);

	return json_print(json_pack("{s:b,s:o,s:o}", "whole", json_array_size(silent) == 0, "silent_workers",
				    silent, "events", client_events_json(answers, answers->nevents)),
			  out);
}
