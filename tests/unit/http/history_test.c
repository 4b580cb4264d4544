/* The charts go on where the HTTP process before has left them, if what it has left can be true. */
#include "gateway/http/history.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define END_S 1000000

static struct chart_memory charts;
static struct history history;

/* Two steps: 7 and 8 sessions. */
static int start(void **state)
{
	(void)state;
	memset(&history, 0, sizeof(history));
	charts = (struct chart_memory){ .version = CHART_VERSION, .n = 2, .next = 2, .end_s = END_S };
	charts.steps[0][CHART_SESSIONS] = 7;
	charts.steps[1][CHART_SESSIONS] = 8;
	return 0;
}

static void assert_sessions(const char *wanted)
{
	json_t *json = history_json(&history);
	char *text = json_dumps(json_object_get(json, "sessions"), JSON_COMPACT);

	assert_string_equal(text, wanted);
	free(text);
	json_decref(json);
}

static void goes_on_in_the_same_step(void **state)
{
	(void)state;
	history_resume(&history, &charts, END_S + 9);
	assert_sessions("[7,8]");
	assert_int_equal(charts.end_s, END_S);
}

static void what_nobody_counted_is_unknown(void **state)
{
	(void)state;
	history_resume(&history, &charts, END_S + 25);
	assert_sessions("[7,8,null,null]");
	assert_int_equal(charts.end_s, END_S + 20);
	assert_int_equal(charts.n, 4);
	assert_int_equal(charts.next, 4);
}

static void the_oldest_steps_give_way(void **state)
{
	(void)state;
	charts.n = CHART_STEPS;
	charts.next = CHART_STEPS - 1;
	for (size_t i = 0; i < CHART_STEPS; i++)
		charts.steps[i][CHART_SESSIONS] = i;
	history_resume(&history, &charts, END_S + 20);
	assert_int_equal(history.n, CHART_STEPS);
	assert_int_equal(history.next, 1);
	assert_true(charts.steps[CHART_STEPS - 1][CHART_SESSIONS] == CHART_UNKNOWN);
	assert_true(charts.steps[0][CHART_SESSIONS] == CHART_UNKNOWN);
	assert_true(charts.steps[1][CHART_SESSIONS] == 1);
}

static void begins_anew(void)
{
	history_resume(&history, &charts, END_S);
	assert_sessions("[]");
	assert_int_equal(charts.version, CHART_VERSION);
	assert_int_equal(charts.n, 0);
}

static void new_memory_is_an_empty_hour(void **state)
{
	(void)state;
	memset(&charts, 0, sizeof(charts));
	begins_anew();
}

static void garbage_is_an_empty_hour(void **state)
{
	const struct chart_memory good = charts;
	struct chart_memory bad[] = { good, good, good, good, good };

	(void)state;
	bad[0].version = CHART_VERSION + 1;
	bad[1].n = CHART_STEPS + 1;
	bad[2].next = CHART_STEPS;
	bad[3].end_s = END_S + 1; /* in the future */
	bad[4].end_s = END_S - CHART_STEPS * CHART_STEP_S;
	for (size_t i = 0; i < NELEM(bad); i++) {
		memset(&history, 0, sizeof(history));
		charts = bad[i];
		begins_anew();
	}
}

/* Another process may write at any time: places are those of this one. */
static void a_place_is_never_read_again(void **state)
{
	(void)state;
	history_resume(&history, &charts, END_S);
	charts.n = charts.next = UINT32_MAX;
	assert_sessions("[7,8]");
}

/* An answer that has no counters comes `ms` after the last answer. */
static void answer_after(struct loop *loop, uint64_t ms)
{
	loop->now_ms += ms;
	history.wait.fn(&history.wait, &(struct asker_result){ .metrics = NULL });
}

static void a_clock_that_is_set_back_stops_nothing(void **state)
{
	uint64_t ahead_s = (uint64_t)time(NULL) + 1000;
	struct loop loop;

	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	charts.end_s = ahead_s;
	history_resume(&history, &charts, ahead_s + 4); /* the next look at the clock shows less */
	assert_int_equal(history_start(&history, &loop, NULL), 0);
	answer_after(&loop, 100);
	assert_sessions("[7,8]"); /* the step has not ended */
	answer_after(&loop, 6000);
	assert_sessions("[7,8,null]");
	assert_true(charts.end_s < ahead_s);
	answer_after(&loop, 10000);
	answer_after(&loop, 9500);
	assert_sessions("[7,8,null,null,null]");
	history_stop(&history);
	loop_done(&loop);
}

static void memory_is_sealed(void **state)
{
	int fd = chart_memory_make();
	struct chart_memory *memory = chart_memory_map(fd);

	(void)state;
	assert_true(fd >= 0 && memory != NULL);
	assert_true(chart_memory_is(fd));
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 1 << 20), -1);
	memory->n = 3;
	assert_int_equal(chart_memory_map(fd)->n, 3);
	(void)close(fd);
}

static void other_files_are_not_taken(void **state)
{
	int fd = open("/dev/zero", O_RDWR);
	int ends[2];

	(void)state;
	assert_false(chart_memory_is(fd));
	assert_int_equal(pipe(ends), 0);
	assert_false(chart_memory_is(ends[0]));
	assert_false(chart_memory_is(-1));
	(void)close(fd);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(goes_on_in_the_same_step, start),
		cmocka_unit_test_setup(what_nobody_counted_is_unknown, start),
		cmocka_unit_test_setup(the_oldest_steps_give_way, start),
		cmocka_unit_test_setup(new_memory_is_an_empty_hour, start),
		cmocka_unit_test_setup(garbage_is_an_empty_hour, start),
		cmocka_unit_test_setup(a_place_is_never_read_again, start),
		cmocka_unit_test_setup(a_clock_that_is_set_back_stops_nothing, start),
		cmocka_unit_test(memory_is_sealed),
		cmocka_unit_test(other_files_are_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
