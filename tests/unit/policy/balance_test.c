/* The choice among the servers of a backend: by state first, then as policy says. */
#include "policy/balance.h"

#include <stdio.h>

#include "tests/unit/unit.h"

static const struct ip_addr nobody = { .family = IP_NONE };

static void a_better_class_comes_first(void **state)
{
	static const struct {
		const char *name;
		enum balance_class classes[3];
		size_t want;
	} cases[] = {
		{ "all good", { BALANCE_GOOD, BALANCE_GOOD, BALANCE_GOOD }, 0 },
		{ "the first is doubtful", { BALANCE_DOUBTFUL, BALANCE_GOOD, BALANCE_GOOD }, 1 },
		{ "the first is bad", { BALANCE_BAD, BALANCE_DOUBTFUL, BALANCE_BAD }, 1 },
		{ "all bad: better than nothing", { BALANCE_BAD, BALANCE_BAD, BALANCE_BAD }, 0 },
		{ "the first is out", { BALANCE_OUT, BALANCE_BAD, BALANCE_GOOD }, 2 },
		{ "only bad ones are left", { BALANCE_OUT, BALANCE_OUT, BALANCE_BAD }, 2 },
		{ "none is left", { BALANCE_OUT, BALANCE_OUT, BALANCE_OUT }, 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct balance_server servers[3];
		size_t at;

		for (size_t j = 0; j < 3; j++)
			servers[j] = (struct balance_server){ .text = "a:21", .class = cases[i].classes[j] };
		at = balance_choose(BALANCE_FIRST, servers, 3, &nobody);
		if (at != cases[i].want)
			fail_msg("%s: %zu instead of %zu", cases[i].name, at, cases[i].want);
	}
}

static void turns_are_fair(void **state)
{
	struct balance_server servers[4] = {
		{ .text = "a" }, { .text = "b" }, { .text = "c" }, { .text = "d" }
	};
	unsigned got[4] = { 0 };

	(void)state;
	servers[1].class = BALANCE_BAD; /* the one after it must not get two shares */
	for (uint64_t turn = 1; turn <= 30; turn++) {
		size_t at = balance_choose(BALANCE_ROUND_ROBIN, servers, 4, &nobody);

		servers[at].chosen_at = turn;
		got[at]++;
	}
	assert_int_equal(got[0], 10);
	assert_int_equal(got[1], 0);
	assert_int_equal(got[2], 10);
	assert_int_equal(got[3], 10);
}

static void the_fewest_sessions_win(void **state)
{
	struct balance_server servers[3] = { { .text = "a", .sessions = 2 },
					     { .text = "b", .sessions = 1, .chosen_at = 9 },
					     { .text = "c", .sessions = 1, .chosen_at = 8 } };

	(void)state;
	assert_int_equal(balance_choose(BALANCE_LEAST_SESSIONS, servers, 3, &nobody), 2);
	servers[2].sessions = 3;
	assert_int_equal(balance_choose(BALANCE_LEAST_SESSIONS, servers, 3, &nobody), 1);
}

#define CLIENTS 4000

static struct ip_addr client(size_t n)
{
	const uint8_t bytes[] = { 198, 51, (uint8_t)(n >> 8), (uint8_t)n };

	return ip_addr_make(IP_V4, bytes);
}

/* Neighbours are spread over all servers, and the shares differ by little. */
static void sources_are_spread(void **state)
{
	struct balance_server servers[4] = { { .text = "10.0.0.1:21" },
					     { .text = "10.0.0.2:21" },
					     { .text = "10.0.0.3:21" },
					     { .text = "10.0.0.4:21" } };
	unsigned got[4] = { 0 };

	(void)state;
	for (size_t i = 0; i < CLIENTS; i++) {
		const struct ip_addr key = client(i);

		got[balance_choose(BALANCE_SOURCE, servers, 4, &key)]++;
	}
	for (size_t i = 0; i < 4; i++)
		assert_in_range(got[i], CLIENTS / 4 * 9 / 10, CLIENTS / 4 * 11 / 10);
}

/* A server that goes, by failure or from the list, moves its own clients only; order means nothing. */
static void only_its_own_clients_move(void **state)
{
	struct balance_server all[4] = {
		{ .text = "a:21" }, { .text = "b:21" }, { .text = "c:21" }, { .text = "d:21" }
	};
	struct balance_server without[4] = { all[3], all[0], all[2] };
	struct balance_server down[4] = { all[0], all[1], all[2], all[3] };
	size_t moved_to[4] = { 0 };

	(void)state;
	down[1].class = BALANCE_BAD;
	for (size_t i = 0; i < CLIENTS; i++) {
		const struct ip_addr key = client(i);
		const char *before = all[balance_choose(BALANCE_SOURCE, all, 4, &key)].text;
		const char *after = without[balance_choose(BALANCE_SOURCE, without, 3, &key)].text;
		size_t at = balance_choose(BALANCE_SOURCE, down, 4, &key);

		assert_string_equal(after, down[at].text);
		if (strcmp(before, "b:21") != 0)
			assert_string_equal(before, after);
		else
			moved_to[at]++;
	}
	assert_true(moved_to[0] > 200 && moved_to[2] > 200 && moved_to[3] > 200);
}

/* Gateways agree, also those of another version or architecture: these must not change. */
static void known_answers(void **state)
{
	static const struct balance_server servers[3] = { { .text = "a:21" },
							  { .text = "b:21" },
							  { .text = "c:21" } };
	char got[17] = "";

	(void)state;
	for (size_t i = 0; i < 16; i++) {
		const struct ip_addr key = client(i);

		got[i] = "abc"[balance_choose(BALANCE_SOURCE, servers, 3, &key)];
	}
	assert_string_equal(got, "accbcacbaabccabb");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_better_class_comes_first), cmocka_unit_test(turns_are_fair),
		cmocka_unit_test(the_fewest_sessions_win),    cmocka_unit_test(sources_are_spread),
		cmocka_unit_test(only_its_own_clients_move),  cmocka_unit_test(known_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
