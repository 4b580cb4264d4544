/* The table of what may be asked through control_socket. */
#include "gateway/base/ctl-question.h"

#include "tests/unit/unit.h"

static void test_every_question_has_a_row(void **state)
{
	(void)state;
	assert_null(ctl_question_find(0));
	assert_null(ctl_question_find(CTL_WHATS));
	assert_null(ctl_question_find(UINT32_MAX));
	for (uint32_t what = 1; what < CTL_WHATS; what++)
		assert_non_null(ctl_question_find(what));
}

static void test_orders_are_root_s_and_logged(void **state)
{
	(void)state;
	for (uint32_t what = 1; what < CTL_WHATS; what++) {
		const struct ctl_question *question = ctl_question_find(what);

		if (!ctl_question_is_order(question))
			continue;
		assert_int_equal(question->may, ASKER_OPERATOR);
		assert_true(ctl_question_is_logged(question));
		assert_false(question->older || question->monitor_lists || question->pass != MSG_NONE);
	}
}

static void test_questions_that_only_ask(void **state)
{
	static const uint32_t only_ask[] = { CTL_STATUS, CTL_SESSIONS, CTL_SERVERS, CTL_METRICS,
					     CTL_EVENTS, CTL_CLIENTS,  CTL_TRACE,   CTL_TRACE_LAST,
					     CTL_POLICY, CTL_BACKENDS };
	size_t n = 0;

	(void)state;
	for (uint32_t what = 1; what < CTL_WHATS; what++)
		n += !ctl_question_is_order(ctl_question_find(what));
	assert_int_equal(n, NELEM(only_ask));
	for (size_t i = 0; i < NELEM(only_ask); i++) {
		const struct ctl_question *question = ctl_question_find(only_ask[i]);

		assert_false(ctl_question_is_order(question));
		/* traces show what sessions say */
		assert_int_equal(ctl_question_is_logged(question), only_ask[i] == CTL_TRACE);
	}
}

/* A member of control_group reads everything. The HTTP process reads only what its answers are made of. */
static void test_the_http_process_asks_only_what_it_shows(void **state)
{
	static const bool shown[CTL_WHATS] = {
		[CTL_STATUS] = true, [CTL_SESSIONS] = true, [CTL_METRICS] = true, [CTL_EVENTS] = true
	};

	(void)state;
	for (uint32_t what = 1; what < CTL_WHATS; what++) {
		const struct ctl_question *question = ctl_question_find(what);

		assert_int_equal(question->may >= ASKER_HTTP, shown[what]);
		assert_int_equal(question->may >= ASKER_MEMBER, !ctl_question_is_order(question));
	}
}

static void test_workers_get_a_message_that_is_theirs(void **state)
{
	(void)state;
	for (uint32_t what = 1; what < CTL_WHATS; what++) {
		const struct msg msg = { .type = ctl_question_find(what)->pass };

		if (msg.type != MSG_NONE)
			assert_true(msg_is_for(MSG_TO_WORKER, &msg, 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_question_has_a_row),
		cmocka_unit_test(test_orders_are_root_s_and_logged),
		cmocka_unit_test(test_questions_that_only_ask),
		cmocka_unit_test(test_the_http_process_asks_only_what_it_shows),
		cmocka_unit_test(test_workers_get_a_message_that_is_theirs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
