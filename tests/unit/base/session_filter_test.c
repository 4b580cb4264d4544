/* Which sessions a filter lets through. */
#include "gateway/base/session-filter.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct ip_addr address(const char *text)
{
	struct ip_addr addr;

	assert_int_equal(ip_addr_parse(text, strlen(text), &addr), 0);
	return addr;
}

static struct session_clients range(const char *text)
{
	struct ip_range ret;

	assert_int_equal(ip_range_parse(text, strlen(text), &ret), 0);
	return session_filter_clients(&ret);
}

static void test_matches(void **state)
{
	const struct ip_addr client = address("192.0.2.7");
	const struct session_traits session = {
		.session = 17,
		.idle_ms = 60000,
		.transfers = true,
		.client = &client,
		.user = "alice",
		.rule = "partners",
		.listener = "explicit",
		.backend = "mainframe",
	};
	const struct {
		struct session_filter filter;
		bool matches;
	} cases[] = {
		{ { 0 }, true },
		{ { .session = 17 }, true },
		{ { .session = 18 }, false },
		{ { .idle_s = 60 }, true },
		{ { .idle_s = 61 }, false },
		{ { .transfers = 1 }, true },
		{ { .client = range("192.0.2.0/24") }, true },
		{ { .client = range("192.0.2.8/32") }, false },
		{ { .client = range("192.0.2.5-192.0.2.7") }, true },
		{ { .client = range("192.0.2.5-192.0.2.6") }, false },
		{ { .client = range("192.0.2.8-192.0.2.9") }, false },
		{ { .client = range("::/0") }, false },
		{ { .user = "alice" }, true },
		{ { .user = "alic" }, false },
		{ { .rule = "partners" }, true },
		{ { .rule = "others" }, false },
		{ { .listener = "explicit" }, true },
		{ { .listener = "implicit" }, false },
		{ { .backend = "mainframe" }, true },
		{ { .backend = "vsftpd" }, false },
		{ { .user = "alice", .rule = "others" }, false },
		{ { .session = 17, .user = "alice", .rule = "partners", .transfers = 1 }, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (session_filter_matches(&cases[i].filter, &session) != cases[i].matches)
			fail_msg("case %zu", i);
}

/* What is not known yet matches only a filter that does not ask for it. */
static void test_unknown(void **state)
{
	const struct session_traits session = { .session = 17 };

	(void)state;
	assert_true(session_filter_matches(&(struct session_filter){ 0 }, &session));
	assert_false(session_filter_matches(&(struct session_filter){ .user = "alice" }, &session));
	assert_false(
	    session_filter_matches(&(struct session_filter){ .client = range("0.0.0.0/0") }, &session));
	assert_false(session_filter_matches(&(struct session_filter){ .transfers = 1 }, &session));
}

static void test_sound(void **state)
{
	struct session_filter filter = { .rule = "partners" };

	(void)state;
	assert_true(session_filter_is_sound(&filter));
	memset(filter.rule, 'x', sizeof(filter.rule));
	assert_false(session_filter_is_sound(&filter));
	filter.rule[sizeof(filter.rule) - 1] = '\0';
	assert_true(session_filter_is_sound(&filter));
	memset(filter.user, 'x', sizeof(filter.user));
	assert_false(session_filter_is_sound(&filter));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
