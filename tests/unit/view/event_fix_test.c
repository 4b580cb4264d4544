/* Advice for events: the most exact row counts. */
#include "gateway/view/event-fix.h"

#include "tests/unit/unit.h"

static void the_line_selects_the_advice(void **state)
{
	static const struct {
		const char *event, *text, *want; /* the beginning */
	} cases[] = {
		{ "server-down", "session=1 error=\"Connection refused\"",
		  "attlsctl doctor tries the server" },
		{ "server-down", "error=\"no server is enabled\"", "attlsctl backend NAME enable ADDRESS" },
		{ "refused", "reason=sessions limit=10", "raise limits: sessions," },
		{ "refused", "reason=sessions_per_source limit=10", "if many clients" },
		{ "refused", "reason=worker-busy", "attlsctl status" },
		{ "login-failed", "user=a by=stored-credential", "give password_file" },
		{ "login-failed", "user=a by=login-unchecked", "start the program" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *fix = event_fix(cases[i].event, cases[i].text);

		assert_non_null(fix);
		if (strncmp(fix, cases[i].want, strlen(cases[i].want)) != 0)
			fail_msg("%s %s: %s", cases[i].event, cases[i].text, fix);
	}
	assert_null(event_fix("ready", ""));
	assert_null(event_fix("", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_selects_the_advice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
