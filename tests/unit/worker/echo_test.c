/* A password that a server repeats is found, wherever it stands; other texts are not. */
#include "gateway/worker/echo.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct {
	const char *name;
	const char *secret;
	const char *text;
	bool want;
} cases[] = {
	{ "in quotes", "s3cret", "530 Bad password 's3cret'.", true },
	{ "at the end", "s3cret", "530 s3cret", true },
	{ "alone", "s3cret", "s3cret", true },
	{ "in capitals", "s3cret", "530 PASS S3CRET failed", true },
	{ "with blanks", "two words", "530 no: two words!", true },
	{ "a part of it", "s3cret", "530 s3cre", false },
	{ "not there", "s3cret", "530 Login incorrect.", false },
	{ "longer than the text", "s3cret-and-more-of-it", "530 no", false },
	{ "no password", "", "530 no", false },
};

static void found(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct echo echo;

		echo_note(&echo, cases[i].secret, strlen(cases[i].secret));
		if (echo_is_in(&echo, cases[i].text, strlen(cases[i].text)) != cases[i].want)
			fail_msg("%s", cases[i].name);
		echo_forget(&echo);
		assert_false(echo_is_in(&echo, cases[i].text, strlen(cases[i].text)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(found) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
