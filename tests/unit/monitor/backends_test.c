/* The servers of a backend, as the monitor keeps them: who gets which, and what reports change. */
#include "gateway/monitor/backends.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

#define ME    1
#define OTHER 2

static struct policy_server servers[] = { { .text = "a:21" }, { .text = "b:21" }, { .text = "c:21" } };
static struct policy_backend backend = { .name = "legacy",
					 .servers = servers,
					 .nservers = 3,
					 .balanced = true,
					 .health = { .interval_ms = 30000, .fall = 2, .rise = 2 } };
static struct policy policy = { .backends = &backend, .nbackends = 1 };

static int choose(struct backends *backends, uint64_t session, uint64_t now_ms)
{
	uint32_t left;

	return backends_choose(backends, &backend, &(struct backend_wish){ .session = session }, now_ms,
			       &left);
}

static bool report(struct backends *backends, uint64_t session, enum server_failure failure, pid_t by,
		   uint64_t now_ms)
{
	const struct backend_witness witness = { .worker = by, .others = true, .now_ms = now_ms };

	return backends_report(backends, &backend, session, failure, &witness);
}

static struct backend_server *server(const struct backends *backends, size_t n)
{
	struct backend_server *at = backends->head;

	while (n-- > 0)
		at = at->next;
	return at;
}

/* Each server once, then none; the session that has one that works gets no other. */
static void each_is_tried_once(void **state)
{
	struct backends backends = { 0 };
	uint32_t left;

	(void)state;
	backends_follow(&backends, &policy);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
		    backends_choose(&backends, &backend, &(struct backend_wish){ .session = 7 }, 0, &left),
		    i);
		assert_int_equal(left, 2 - i);
		assert_true(report(&backends, 7, SERVER_FAILURE_REFUSED, ME, 0));
		assert_false(report(&backends, 7, SERVER_FAILURE_REFUSED, ME, 0)); /* once for each */
	}
	assert_int_equal(choose(&backends, 7, 0), -ENOENT);
	assert_int_equal(choose(&backends, 7, 0), -ENOENT);
	assert_false(report(&backends, 7, SERVER_FAILURE_REFUSED, ME, 0));
	assert_int_equal(choose(&backends, 8, 0), 0); /* all are doubtful: better than nothing */
	assert_true(report(&backends, 8, SERVER_FAILURE_NONE, ME, 0));
	assert_int_equal(choose(&backends, 8, 0), -EEXIST);
	assert_int_equal(server(&backends, 0)->sessions, 1);
	backends_session_end(&backends, 7);
	backends_session_end(&backends, 8);
	backends_session_end(&backends, 9);
	assert_int_equal(server(&backends, 0)->sessions, 0);
	backends_done(&backends);
}

/* server_map: that server or none, also when it has failed or is disabled, and another one for another user.
 */
static void one_only(void **state)
{
	static const struct {
		uint32_t only;
		bool anew;
		int want;
		uint32_t left;
	} rows[] = {
		{ 2, true, 1, 0 }, { 2, false, -ENOENT, 0 }, { 2, true, 1, 0 }, { 3, true, 2, 0 },
		{ 0, true, 0, 2 }, { 0, false, 1, 1 },	     { 0, true, 0, 2 }, { 0, false, 1, 1 },
	};
	struct backends backends = { 0 };
	uint32_t left;

	(void)state;
	backends_follow(&backends, &policy);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct backend_wish wish = { .session = 7, .only = rows[i].only, .anew = rows[i].anew };

		left = 0;
		if (backends_choose(&backends, &backend, &wish, 0, &left) != rows[i].want ||
		    left != rows[i].left)
			fail_msg("row %zu", i);
	}
	assert_true(report(&backends, 7, SERVER_FAILURE_NONE, ME, 0));
	assert_int_equal(choose(&backends, 7, 0), -EEXIST);
	server(&backends, 1)->disabled = true;
	assert_int_equal(backends_choose(&backends, &backend,
					 &(struct backend_wish){ .session = 7, .only = 2, .anew = true }, 0,
					 &left),
			 -ENOENT);
	for (size_t i = 0; i < 3; i++) /* what a session has given up, it does not hold */
		assert_int_equal(server(&backends, i)->sessions, 0);
	backends_session_end(&backends, 7);
	backends_done(&backends);
}

/* A worker that lies asks without end, also for a session that has a server: each session still counts once.
 */
static void asking_without_end(void **state)
{
	struct backends backends = { 0 };

	(void)state;
	backends_follow(&backends, &policy);
	assert_true(choose(&backends, 8, 0) >= 0);
	for (uint32_t i = 0; i < 1000; i++) {
		const struct backend_wish wish = { .session = 7, .only = i % 4, .anew = i % 5 != 4 };
		uint32_t left, sum = 0;

		(void)backends_choose(&backends, &backend, &wish, i, &left);
		if (i % 3 == 0)
			(void)report(&backends, 7, SERVER_FAILURE_NONE, ME, i);
		for (size_t at = 0; at < 3; at++) {
			assert_in_range(server(&backends, at)->sessions, 0, 2);
			sum += server(&backends, at)->sessions;
		}
		assert_in_range(sum, 1, 2);
	}
	backends_session_end(&backends, 7);
	backends_session_end(&backends, 8);
	for (size_t at = 0; at < 3; at++)
		assert_int_equal(server(&backends, at)->sessions, 0);
	backends_done(&backends);
}

/* After the first failure, nobody pays for it again before the interval is over, and then one does. */
static void a_server_that_failed_is_avoided(void **state)
{
	struct backends backends = { 0 };

	(void)state;
	backends_follow(&backends, &policy);
	assert_int_equal(choose(&backends, 1, 1000), 0);
	assert_true(report(&backends, 1, SERVER_FAILURE_NO_GREETING, ME, 1000));
	assert_int_equal(choose(&backends, 2, 1000), 1);
	assert_int_equal(choose(&backends, 3, 30999), 1);
	assert_int_equal(choose(&backends, 4, 31000), 0);
	assert_int_equal(choose(&backends, 5, 31000), 1); /* while 4 tries it */
	assert_true(report(&backends, 4, SERVER_FAILURE_NONE, ME, 32000));
	assert_int_equal(choose(&backends, 6, 32000), 0);
	backends_done(&backends);
}

static void it_falls_and_rises(void **state)
{
	struct backends backends = { 0 };

	(void)state;
	backends_follow(&backends, &policy);
	for (uint64_t session = 1; session <= 2; session++) {
		assert_int_equal(choose(&backends, session, session * 40000), 0);
		assert_true(
		    report(&backends, session, SERVER_FAILURE_CLOSED, (pid_t)session, session * 40000));
	}
	assert_true(server(&backends, 0)->health.down);
	backends_follow(&backends, &policy); /* a reload changes nothing */
	assert_true(server(&backends, 0)->health.down);
	assert_int_equal(choose(&backends, 3, 120000), 0);
	assert_true(report(&backends, 3, SERVER_FAILURE_NONE, ME, 120000));
	assert_true(server(&backends, 0)->health.down);
	assert_int_equal(choose(&backends, 4, 120000), 0); /* it proves itself at once */
	assert_true(report(&backends, 4, SERVER_FAILURE_NONE, OTHER, 120000));
	assert_false(server(&backends, 0)->health.down);
	backends_done(&backends);
}

/* A worker in an attacker's hands reports every server that it is given. */
static void a_liar_takes_nothing_down(void **state)
{
	struct backends backends = { 0 };

	(void)state;
	backends_follow(&backends, &policy);
	for (uint64_t session = 1; session <= 300; session++) {
		assert_in_range(choose(&backends, session, session), 0, 2);
		assert_true(report(&backends, session, SERVER_FAILURE_REFUSED, ME, session));
	}
	for (size_t i = 0; i < 3; i++)
		assert_false(server(&backends, i)->health.down);
	assert_int_equal(choose(&backends, 301, 301), 0); /* others are still served */
	assert_true(report(&backends, 301, SERVER_FAILURE_NONE, OTHER, 301));
	assert_int_equal(server(&backends, 0)->health.failed, 0);
	backends_done(&backends);
}

static void a_disabled_one_is_never_chosen(void **state)
{
	struct backends backends = { 0 };

	(void)state;
	backends_follow(&backends, &policy);
	for (size_t i = 0; i < 3; i++)
		server(&backends, i)->disabled = true;
	assert_int_equal(choose(&backends, 1, 0), -ENOENT);
	server(&backends, 2)->disabled = false;
	assert_int_equal(choose(&backends, 2, 0), 2);
	backends_done(&backends);
}

/* What policy does not name any more goes when its last session has ended. */
static void a_reload_forgets(void **state)
{
	static struct policy_backend fewer = {
		.name = "legacy", .servers = servers + 1, .nservers = 2, .balanced = true
	};
	static const struct policy next = { .backends = &fewer, .nbackends = 1 };
	struct backends backends = { 0 };

	(void)state;
	backends_follow(&backends, &policy);
	assert_int_equal(choose(&backends, 1, 0), 0);
	backends_follow(&backends, &next);
	assert_string_equal(server(&backends, 0)->text, "a:21");
	assert_false(server(&backends, 0)->in_policy);
	backends_session_end(&backends, 1);
	backends_follow(&backends, &next);
	assert_string_equal(server(&backends, 0)->text, "b:21");
	backends_done(&backends);
}

static uint64_t failures(size_t place, size_t cause)
{
	return count_read(count_page, COUNT_AT_SERVER_FAILURES + place * COUNT_N_SERVER_CAUSE + cause);
}

/* Each server has a place of its own, also after a reload; what fails is counted there. */
static void servers_are_counted(void **state)
{
	static struct totals totals;
	struct backends backends = { .totals = &totals };
	uint64_t before = failures(1, COUNT_SERVER_REFUSED);

	(void)state;
	assert_int_equal(totals_place(&totals, COUNT_KIND_SERVER, "other", "a:21"), 0);
	backends_follow(&backends, &policy);
	assert_string_equal(totals.names[COUNT_KIND_SERVER].items[1].first, "legacy");
	assert_string_equal(totals.names[COUNT_KIND_SERVER].items[1].second, "a:21");
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(server(&backends, i)->place, i + 1);
	backends_follow(&backends, &policy);
	assert_int_equal(server(&backends, 0)->place, 1);
	assert_int_equal(choose(&backends, 1, 0), 0);
	assert_int_equal(count_read(count_page, COUNT_AT_SERVER_CHOSEN + 1), 1);
	assert_true(report(&backends, 1, SERVER_FAILURE_REFUSED, ME, 0));
	assert_false(report(&backends, 1, SERVER_FAILURE_REFUSED, ME, 0));
	assert_int_equal(choose(&backends, 1, 0), 1);
	assert_true(report(&backends, 1, SERVER_FAILURE_NONE, ME, 0));
	assert_int_equal(failures(1, COUNT_SERVER_REFUSED), before + 1);
	for (size_t i = 0; i < COUNT_N_SERVER_CAUSE; i++)
		assert_int_equal(failures(2, i), 0);
	backends_done(&backends);
}

/* Two that differ only in what the counters cut off: the second has no place of its own. */
static void long_names_are_not_mixed_up(void **state)
{
	static char texts[2][80];
	struct policy_server pair[2] = { { .text = texts[0] }, { .text = texts[1] } };
	struct policy_backend of = { .name = "legacy", .servers = pair, .nservers = 2, .balanced = true };
	const struct policy with = { .backends = &of, .nbackends = 1 };
	static struct totals totals;
	struct backends backends = { .totals = &totals };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		memset(texts[i], 'x', sizeof(texts[i]) - 1);
		texts[i][sizeof(texts[i]) - 2] = (char)('1' + i);
	}
	backends_follow(&backends, &with);
	assert_int_equal(server(&backends, 0)->place, 0);
	assert_int_equal(server(&backends, 1)->place, COUNT_NAMES_OTHER);
	backends_done(&backends);
}

static void each_failure_has_a_label(void **state)
{
	(void)state;
	for (uint32_t i = 1; i < SERVER_FAILURES; i++)
		assert_int_not_equal(count_value(COUNT_LABEL_SERVER_CAUSE, server_failure_name(i)),
				     COUNT_SERVER_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_tried_once),
		cmocka_unit_test(one_only),
		cmocka_unit_test(asking_without_end),
		cmocka_unit_test(a_server_that_failed_is_avoided),
		cmocka_unit_test(it_falls_and_rises),
		cmocka_unit_test(a_liar_takes_nothing_down),
		cmocka_unit_test(a_disabled_one_is_never_chosen),
		cmocka_unit_test(a_reload_forgets),
		cmocka_unit_test(servers_are_counted),
		cmocka_unit_test(long_names_are_not_mixed_up),
		cmocka_unit_test(each_failure_has_a_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
