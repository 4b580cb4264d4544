/*
 * Asks for the counters every ten seconds, and keeps what they have grown by, in memory that the next
 * process gets, too. The questions also show the monitor that this process lives.
 */
#include "gateway/http/history.h"

#include <string.h>
#include <time.h>

#include "gateway/base/util.h"
#include "gateway/http/figures.h"

static const char *const names[CHART_ROWS] = {
	[CHART_SESSIONS] = "sessions", [CHART_TRANSFERS] = "transfers", [CHART_HANDSHAKES] = "handshakes",
	[CHART_REFUSALS] = "refusals", [CHART_BYTES_IN] = "bytes_in",	[CHART_BYTES_OUT] = "bytes_out",
};

/* Rows of how many there are now, not of how many there were in a step. */
static bool is_level(size_t row)
{
	return row == CHART_SESSIONS || row == CHART_TRANSFERS;
}

static void read_counters(const struct metrics *metrics, uint64_t ret[static CHART_ROWS])
{
	ret[CHART_SESSIONS] = metrics->gateway.sessions + figures_sum(metrics, "replaced_sessions", 0, NULL);
	ret[CHART_TRANSFERS] = figures_sum(metrics, "transfers_running", 0, NULL);
	ret[CHART_HANDSHAKES] = figures_sum(metrics, "handshakes", 0, NULL);
	ret[CHART_REFUSALS] = figures_sum(metrics, "commands_refused", 0, NULL) +
			      figures_sum(metrics, "logins_refused", 0, NULL) +
			      figures_sum(metrics, "connections_refused", 0, NULL);
	ret[CHART_BYTES_IN] = figures_sum(metrics, "transfer", 0, "upload");
	ret[CHART_BYTES_OUT] = figures_sum(metrics, "transfer", 0, "download");
}

static void add_step(struct history *history, const uint64_t step[static CHART_ROWS], uint64_t end_s)
{
	struct chart_memory *charts = history->charts;

	memcpy(charts->steps[history->next], step, sizeof(charts->steps[0]));
	history->next = (history->next + 1) % CHART_STEPS;
	history->n += history->n < CHART_STEPS;
	charts->next = history->next;
	charts->n = history->n;
	charts->end_s = end_s;
}

static void on_answer(struct asker_wait *wait, const struct asker_result *result)
{
	struct history *history = CONTAINER_OF(wait, struct history, wait);
	uint64_t step[CHART_ROWS], now[CHART_ROWS] = { 0 };
	uint64_t now_s = (uint64_t)time(NULL);

	history->waits = false;
	if (history->stopped)
		return;
	if (result->metrics != NULL)
		read_counters(result->metrics, now);
	if (result->metrics != NULL)
		backends_sample(&history->backends, result->metrics, now_s);
	for (size_t row = 0; row < CHART_ROWS; row++) {
		bool known = result->metrics != NULL && (is_level(row) || history->knows);

		step[row] = !known			       ? CHART_UNKNOWN
			    : is_level(row)		       ? now[row]
			    : now[row] >= history->before[row] ? now[row] - history->before[row]
							       : 0;
		if (result->metrics != NULL)
			history->before[row] = now[row];
	}
	history->knows = result->metrics != NULL;
	if (history->loop->now_ms + 1000 < history->due_ms)
		return; /* in the midst of a step of the process before */
	add_step(history, step, now_s);
	history->due_ms = history->loop->now_ms + CHART_STEP_S * 1000;
}

static void on_time(struct timer *timer)
{
	struct history *history = CONTAINER_OF(timer, struct history, timer);

	/* it has fired, so its place in the heap is there */
	(void)loop_timer(history->loop, &history->timer, CHART_STEP_S * 1000);
	if (!history->waits && asker_ask(history->asker, CTL_METRICS, NULL, &history->wait) == 0)
		history->waits = true;
}

/* The clock may have been set, and another version may have written anything: then it is a new hour. */
static bool fits(const struct chart_memory *charts, uint64_t now_s)
{
	return charts->version == CHART_VERSION && charts->n <= CHART_STEPS && charts->next < CHART_STEPS &&
	       charts->end_s <= now_s && now_s - charts->end_s < CHART_STEPS * CHART_STEP_S;
}

void history_resume(struct history *history, struct chart_memory *charts, uint64_t now_s)
{
	uint64_t unknown[CHART_ROWS];
	struct chart_memory found = *charts;

	for (size_t row = 0; row < CHART_ROWS; row++)
		unknown[row] = CHART_UNKNOWN;
	history->charts = charts;
	if (!fits(&found, now_s)) {
		memset(charts, 0, sizeof(*charts));
		charts->version = CHART_VERSION;
		return;
	}
	history->n = found.n;
	history->next = found.next;
	/* the step that begins now ends at the first answer */
	for (uint64_t end_s = found.end_s + CHART_STEP_S; found.n > 0 && end_s <= now_s;
	     end_s += CHART_STEP_S)
		add_step(history, unknown, end_s);
	history->left_s = CHART_STEP_S - (now_s - found.end_s) % CHART_STEP_S;
}

int history_start(struct history *history, struct loop *loop, struct asker *asker)
{
	history->loop = loop;
	history->due_ms = loop->now_ms + history->left_s * 1000;
	history->asker = asker;
	history->wait.fn = on_answer;
	timer_init(&history->timer, on_time);
	return loop_timer(loop, &history->timer, 0);
}

void history_stop(struct history *history)
{
	if (history->loop != NULL)
		loop_timer_stop(history->loop, &history->timer);
	history->stopped = true;
}

json_t *history_json(const struct history *history)
{
	json_t *json =
	    json_pack("{s:i,s:I}", "step", CHART_STEP_S, "end", (json_int_t)history->charts->end_s);
	size_t oldest = (history->next + CHART_STEPS - history->n) % CHART_STEPS;

	for (size_t row = 0; json != NULL && row < CHART_ROWS; row++) {
		json_t *list = json_array();

		for (size_t i = 0; i < history->n; i++) {
			uint64_t value = history->charts->steps[(oldest + i) % CHART_STEPS][row];

			(void)json_array_append_new(
			    list, value == CHART_UNKNOWN ? json_null() : json_integer((json_int_t)value));
		}
		(void)json_object_set_new(json, names[row], list);
	}
	return json;
}
