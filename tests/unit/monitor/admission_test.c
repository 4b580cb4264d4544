#include "gateway/monitor/admission.h"

#include <errno.h>

#include "tests/unit/unit.h"

static const struct policy_daemon limits = { .limit_sessions = 4,
					     .limit_sessions_per_source = 2,
					     .limit_unauthenticated_per_source = 2 };

static struct ip_addr addr(const char *text)
{
	struct ip_addr result;

	assert_int_equal(ip_addr_parse(text, strlen(text), &result), 0);
	return result;
}

/* A session whose source comes later counts for it from then on, and once. */
static void test_source_told_later(void **state)
{
	struct admission admission = { .sources = NULL };
	struct ip_addr source = addr("198.51.100.9"), other = addr("198.51.100.10");
	const char *limit = NULL;
	int owner, stranger;
	uint64_t n[5];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(admission_enter(&admission, &limits, NULL, &owner, &n[i], &limit), 0);
	assert_int_equal(admission_enter(&admission, &limits, &other, &owner, &n[4], &limit), -EUSERS);
	assert_string_equal(limit, "sessions");

	assert_false(admission_login(&admission, n[0], &owner));
	assert_null(admission_session_key(&admission, n[0], &owner));
	assert_int_equal(admission_source(&admission, &limits, n[0], &stranger, &source, &limit), -ENOENT);
	assert_int_equal(admission_source(&admission, &limits, 99, &owner, &source, &limit), -ENOENT);
	assert_int_equal(admission_source(&admission, &limits, n[0], &owner, &source, &limit), 0);
	assert_int_equal(admission_source(&admission, &limits, n[0], &owner, &source, &limit), -ENOENT);
	assert_int_equal(admission_source(&admission, &limits, n[1], &owner, &source, &limit), 0);
	assert_int_equal(admission_source(&admission, &limits, n[2], &owner, &source, &limit), -EUSERS);
	assert_string_equal(limit, "sessions_per_source");
	assert_int_equal(admission_source(&admission, &limits, n[3], &owner, &other, &limit), 0);
	assert_true(admission_login(&admission, n[0], &owner));
	assert_null(admission_session_key(&admission, n[0], &stranger));
	assert_true(ip_addr_equal(admission_session_key(&admission, n[0], &owner), &source));

	/* one without a source leaves as well, and a place of the source is free again */
	assert_true(admission_leave(&admission, n[2], &owner));
	assert_true(admission_leave(&admission, n[0], &owner));
	assert_int_equal(admission_enter(&admission, &limits, NULL, &owner, &n[0], &limit), 0);
	assert_int_equal(admission_source(&admission, &limits, n[0], &owner, &source, &limit), 0);
	assert_int_equal(admission_enter(&admission, &limits, &source, &owner, &n[2], &limit), -EUSERS);
	assert_int_equal(admission_leave_all(&admission, &owner, NULL, NULL), 3);
	assert_int_equal(admission.nsessions, 0);
	assert_null(admission.sources);
	admission_done(&admission);
}

/* Probes have room of their own, above the limit of sessions, and become sessions only below it. */
static void test_probes(void **state)
{
	struct admission admission = { .sources = NULL };
	struct ip_addr source = addr("198.51.100.9"), other = addr("198.51.100.10"), balancer = addr("::1");
	const char *limit = NULL;
	int owner, stranger;
	uint64_t sessions[4], probes[ADMISSION_PROBES_MAX + 1];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(admission_enter(&admission, &limits, i < 2 ? &source : &other, &owner,
						 &sessions[i], &limit),
				 0);
	for (size_t i = 0; i < ADMISSION_PROBES_MAX; i++) {
		assert_int_equal(admission_enter(&admission, &limits, NULL, &owner, &probes[i], &limit), 0);
		assert_int_equal(admission_probe(&admission, probes[i], &stranger, &limit), -ENOENT);
		assert_int_equal(admission_probe(&admission, probes[i], &owner, &limit), 0);
		assert_int_equal(admission_probe(&admission, probes[i], &owner, &limit), -ENOENT);
	}
	assert_int_equal(admission.nsessions, 4);
	assert_int_equal(
	    admission_enter(&admission, &limits, NULL, &owner, &probes[ADMISSION_PROBES_MAX], &limit), 0);
	assert_int_equal(admission_probe(&admission, probes[ADMISSION_PROBES_MAX], &owner, &limit), -EUSERS);
	assert_string_equal(limit, "probes");
	/* neither is a session while there is no room for one, but a session that leaves makes room */
	assert_int_equal(admission_source(&admission, &limits, probes[0], &owner, &balancer, &limit),
			 -EUSERS);
	assert_string_equal(limit, "sessions");
	assert_int_equal(
	    admission_source(&admission, &limits, probes[ADMISSION_PROBES_MAX], &owner, &balancer, &limit),
	    -EUSERS);
	assert_true(admission_leave(&admission, probes[ADMISSION_PROBES_MAX], &owner));
	assert_true(admission_leave(&admission, sessions[0], &owner));
	assert_int_equal(admission_source(&admission, &limits, probes[0], &owner, &balancer, &limit), 0);
	assert_int_equal(admission_probe(&admission, probes[0], &owner, &limit), -ENOENT);
	assert_int_equal(admission.nsessions, 4);
	assert_int_equal(admission.nprobes, ADMISSION_PROBES_MAX - 1);
	assert_int_equal(admission_probe(&admission, sessions[1], &owner, &limit), -ENOENT);
	(void)admission_leave_all(&admission, &owner, NULL, NULL);
	assert_int_equal(admission.nsessions, 0);
	assert_int_equal(admission.nprobes, 0);
	assert_null(admission.sources);
	admission_done(&admission);
}

/* A session after a restart has a number of its own, and a larger one. */
static void test_numbers_of_two_starts(void **state)
{
	struct admission first, second;
	struct ip_addr source = addr("198.51.100.9");
	const char *limit = NULL;
	uint64_t n[3];
	int owner;

	(void)state;
	admission_init(&first);
	assert_int_equal(admission_enter(&first, &limits, &source, &owner, &n[0], &limit), 0);
	assert_int_equal(admission_enter(&first, &limits, &source, &owner, &n[1], &limit), 0);
	assert_true(n[1] == n[0] + 1);
	admission_done(&first);
	do {
		admission_init(&second);
	} while (second.last <= n[1]); /* two starts within two microseconds */
	assert_int_equal(admission_enter(&second, &limits, &source, &owner, &n[2], &limit), 0);
	assert_true(n[2] > n[1]);
	assert_true(n[2] < (uint64_t)1 << 53); /* JSON's readers keep it exact */
	admission_done(&second);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_source_told_later),
					    cmocka_unit_test(test_probes),
					    cmocka_unit_test(test_numbers_of_two_starts) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
