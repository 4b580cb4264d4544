/* The options that choose sessions, and what each of their values means. */
#include "gateway/ctl/filter-options.h"

#include <stdio.h>
#include <unistd.h>

#include "gateway/ctl/usage.h"
#include "tests/unit/unit.h"

#define LONG_NAME "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" /* 64 */

static struct command_line line_with(enum command_option option, const char *value)
{
	struct command_line line = { .policy = "" };

	line.options[option] = value;
	return line;
}

static struct session_clients range(const char *text)
{
	struct ip_range ret;

	assert_int_equal(ip_range_parse(text, strlen(text), &ret), 0);
	return session_filter_clients(&ret);
}

static bool same(const struct session_filter *a, const struct session_filter *b)
{
	return a->session == b->session && a->idle_s == b->idle_s && a->transfers == b->transfers &&
	       memcmp(&a->client, &b->client, sizeof(a->client)) == 0 && strcmp(a->user, b->user) == 0 &&
	       strcmp(a->rule, b->rule) == 0 && strcmp(a->listener, b->listener) == 0 &&
	       strcmp(a->backend, b->backend) == 0;
}

static void values(void **state)
{
	const struct {
		enum command_option option;
		const char *value;
		struct session_filter want;
	} rows[] = {
		{ OPTION_USER, "alice", { .user = "alice" } },
		{ OPTION_USER, "o'neil \\ \x1b[2J", { .user = "o'neil \\ \x1b[2J" } },
		{ OPTION_USER, LONG_NAME, { .user = LONG_NAME } },
		{ OPTION_CLIENT, "192.0.2.7", { .client = range("192.0.2.7/32") } },
		{ OPTION_CLIENT, "192.0.2.0/24", { .client = range("192.0.2.0/24") } },
		{ OPTION_CLIENT, "192.0.2.5-192.0.2.9", { .client = range("192.0.2.5-192.0.2.9") } },
		{ OPTION_CLIENT, "::/0", { .client = range("::/0") } },
		{ OPTION_CLIENT, "2001:db8::1", { .client = range("2001:db8::1/128") } },
		{ OPTION_RULE, "partners", { .rule = "partners" } },
		{ OPTION_LISTENER, "explicit", { .listener = "explicit" } },
		{ OPTION_BACKEND, "legacy-1.b", { .backend = "legacy-1.b" } },
		{ OPTION_TRANSFERS, "", { .transfers = 1 } },
		{ OPTION_IDLE, "1", { .idle_s = 1 } },
		{ OPTION_IDLE, "300", { .idle_s = 300 } },
		{ OPTION_IDLE, "90s", { .idle_s = 90 } },
		{ OPTION_IDLE, "5m", { .idle_s = 300 } },
		{ OPTION_IDLE, "2h", { .idle_s = 7200 } },
		{ OPTION_IDLE, "1d", { .idle_s = 86400 } },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct command_line line = line_with(rows[i].option, rows[i].value);
		struct session_filter filter = { .session = 99 };

		if (!filter_options_given(&line) || filter_options_parse(&line, &filter) != 0 ||
		    !same(&filter, &rows[i].want) || !session_filter_is_sound(&filter))
			fail_msg("row %zu: %s", i, rows[i].value);
	}
}

static void faults(void **state)
{
	static const struct {
		enum command_option option;
		const char *value;
	} rows[] = {
		{ OPTION_USER, "" },
		{ OPTION_USER, LONG_NAME "a" },
		{ OPTION_CLIENT, "" },
		{ OPTION_CLIENT, "192.0.2.7/24" },
		{ OPTION_CLIENT, "192.0.2.0/33" },
		{ OPTION_CLIENT, "host.example" },
		{ OPTION_CLIENT, "192.0.2" },
		{ OPTION_CLIENT, "192.0.2.9-192.0.2.5" },
		{ OPTION_RULE, "" },
		{ OPTION_RULE, "a b" },
		{ OPTION_RULE, LONG_NAME },
		{ OPTION_LISTENER, "a/b" },
		{ OPTION_BACKEND, "\x1b[2J" },
		{ OPTION_IDLE, "" },
		{ OPTION_IDLE, "0" },
		{ OPTION_IDLE, "0m" },
		{ OPTION_IDLE, "-1" },
		{ OPTION_IDLE, " 5" },
		{ OPTION_IDLE, "5 m" },
		{ OPTION_IDLE, "5ms" },
		{ OPTION_IDLE, "5mm" },
		{ OPTION_IDLE, "1234567890" },
		{ OPTION_IDLE, "99999999d" },
		{ OPTION_IDLE, "m" },
		{ OPTION_IDLE, "1.5h" },
	};

	(void)state;
	assert_non_null(freopen("/dev/null", "w", stderr));
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct command_line line = line_with(rows[i].option, rows[i].value);
		struct session_filter filter = { .session = 99 };

		if (filter_options_parse(&line, &filter) != EXIT_USAGE || filter.session != 99)
			fail_msg("row %zu: \"%s\"", i, rows[i].value);
	}
}

static void options_add_up(void **state)
{
	struct command_line line = line_with(OPTION_USER, "alice");
	struct session_filter filter;

	(void)state;
	line.options[OPTION_RULE] = "partners";
	line.options[OPTION_IDLE] = "60";
	assert_int_equal(filter_options_parse(&line, &filter), 0);
	assert_true(
	    same(&filter, &(struct session_filter){ .user = "alice", .rule = "partners", .idle_s = 60 }));
	line = line_with(OPTION_JSON, "");
	assert_false(filter_options_given(&line));
	assert_int_equal(filter_options_parse(&line, &filter), 0);
	assert_true(same(&filter, &(struct session_filter){ 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(faults),
		cmocka_unit_test(options_add_up),
	};

	return cmocka_run_group_tests_name("filter_options", tests, NULL, NULL);
}
