/* The reports for people, where clients were seen at a time that has not come yet: the clock was set back. */
#include "gateway/view/client-report.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/habits.h"
#include "gateway/view/client-answers.h"
#include "gateway/view/shut-out-report.h"
#include "tests/unit/unit.h"

#define SEEN_S 1000000

static struct answer_client client;

static int start(void **state)
{
	(void)state;
	client =
	    (struct answer_client){ .logged_in = true, .sessions = 2, .first_s = SEEN_S, .last_s = SEEN_S };
	(void)snprintf(client.user, sizeof(client.user), "me");
	client.habits[HABIT_LOGIN_TLS].sessions = client.habits[HABIT_WOULD_FIRST].sessions = 1;
	client.habits[HABIT_LOGIN_TLS].last_s = client.habits[HABIT_WOULD_FIRST].last_s = SEEN_S;
	client.would[0].first_s = SEEN_S;
	return 0;
}

typedef void (*report_fn)(const struct answers *answers, uint64_t since_s, uint64_t now_s, FILE *out);

static void assert_says(report_fn report, uint64_t now_s, const char *wanted)
{
	const struct answers answers = { .clients = &client, .nclients = 1 };
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	report(&answers, 0, now_s, out);
	assert_int_equal(fclose(out), 0);
	if (strstr(text, wanted) == NULL)
		fail_msg("no \"%s\" in: %s", wanted, text);
	free(text);
}

static void ages(void **state)
{
	(void)state;
	assert_says(client_report_print, SEEN_S + 62, "2 sessions, the last 1m02s ago");
	assert_says(client_report_print, SEEN_S + 62, "(1, 1m02s ago)");
	assert_says(shut_out_report_print, SEEN_S + 62, "the first 1m02s ago, the last 1m02s ago");
}

static void nothing_is_younger_than_now(void **state)
{
	(void)state;
	assert_says(client_report_print, SEEN_S - 1, "2 sessions, the last 0s ago");
	assert_says(client_report_print, SEEN_S - 1, "(1, 0s ago)");
	assert_says(shut_out_report_print, SEEN_S - 1, "the first 0s ago, the last 0s ago");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ages, start),
		cmocka_unit_test_setup(nothing_is_younger_than_now, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
