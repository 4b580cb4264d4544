/*
 * Asks for the counters every ten seconds, and keeps what they have grown by. The memory
 * is there from the start. The questions also show the monitor that this process lives.
 */
#include "gateway/http/history.h"

#include <time.h>

#include "gateway/base/util.h"
#include "gateway/http/figures.h"

static const char *const names[HISTORY_ROWS] = {
	[HISTORY_SESSIONS] = "sessions",     [HISTORY_TRANSFERS] = "transfers",
	[HISTORY_HANDSHAKES] = "handshakes", [HISTORY_REFUSALS] = "refusals",
	[HISTORY_BYTES_IN] = "bytes_in",     [HISTORY_BYTES_OUT] = "bytes_out",
};

/* Rows of how many there are now, not of how many there were in a step. */
static bool is_level(size_t row)
{
	return row == HISTORY_SESSIONS || row == HISTORY_TRANSFERS;
}

static void read_counters(const struct metrics *metrics, uint64_t ret[static HISTORY_ROWS])
{
	ret[HISTORY_SESSIONS] =
	    metrics->gateway.sessions + figures_sum(metrics, "replaced_sessions", 0, NULL);
	ret[HISTORY_TRANSFERS] = figures_sum(metrics, "transfers_running", 0, NULL);
	ret[HISTORY_HANDSHAKES] = figures_sum(metrics, "handshakes", 0, NULL);
	ret[HISTORY_REFUSALS] = figures_sum(metrics, "commands_refused", 0, NULL) +
				figures_sum(metrics, "logins_refused", 0, NULL) +
				figures_sum(metrics, "connections_refused", 0, NULL);
	ret[HISTORY_BYTES_IN] = figures_sum(metrics, "transfer", 0, "upload");
	ret[HISTORY_BYTES_OUT] = figures_sum(metrics, "transfer", 0, "download");
}

static void on_answer(struct asker_wait *wait, const struct asker_result *result)
{
	struct history *history = CONTAINER_OF(wait, struct history, wait);
	double *step = history->steps[history->next];
	uint64_t now[HISTORY_ROWS];

	history->waits = false;
	if (result->metrics != NULL)
		read_counters(result->metrics, now);
	if (result->metrics != NULL)
		backends_sample(&history->backends, result->metrics, (uint64_t)time(NULL));
	for (size_t row = 0; row < HISTORY_ROWS; row++) {
		bool known = result->metrics != NULL && (is_level(row) || history->knows);

		step[row] = !known			       ? -1
			    : is_level(row)		       ? (double)now[row]
			    : now[row] >= history->before[row] ? (double)(now[row] - history->before[row])
							       : 0;
		if (result->metrics != NULL)
			history->before[row] = now[row];
	}
	history->knows = result->metrics != NULL;
	history->next = (history->next + 1) % HISTORY_STEPS;
	history->n += history->n < HISTORY_STEPS;
	history->end_s = (uint64_t)time(NULL);
}

static void on_time(struct timer *timer)
{
	struct history *history = CONTAINER_OF(timer, struct history, timer);

	/* it has fired, so its place in the heap is there */
	(void)loop_timer(history->loop, &history->timer, HISTORY_STEP_S * 1000);
	if (!history->waits && asker_ask(history->asker, CTL_METRICS, NULL, &history->wait) == 0)
		history->waits = true;
}

int history_start(struct history *history, struct loop *loop, struct asker *asker)
{
	*history = (struct history){ .loop = loop, .asker = asker, .wait.fn = on_answer };
	timer_init(&history->timer, on_time);
	return loop_timer(loop, &history->timer, 0);
}

json_t *history_json(const struct history *history)
{
	json_t *json = json_pack("{s:i,s:I}", "step", HISTORY_STEP_S, "end", (json_int_t)history->end_s);
	size_t oldest = (history->next + HISTORY_STEPS - history->n) % HISTORY_STEPS;

	for (size_t row = 0; json != NULL && row < HISTORY_ROWS; row++) {
		json_t *list = json_array();

		for (size_t i = 0; i < history->n; i++) {
			double value = history->steps[(oldest + i) % HISTORY_STEPS][row];

			(void)json_array_append_new(list, value < 0 ? json_null()
								    : json_integer((json_int_t)value));
		}
		(void)json_object_set_new(json, names[row], list);
	}
	return json;
}
