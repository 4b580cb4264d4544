/* Seeds of session tickets: when they change, when they go, and who gets them. */
#include "gateway/base/ticket-seeds.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define ROTATION_S  60
#define ROTATION_MS 60000
#define LIFETIME_MS 150000

static struct ticket_seeds *head;

static int make(void **state)
{
	(void)state;
	return ticket_seeds_need(&head, ROTATION_S, LIFETIME_MS, 1000);
}

static int done(void **state)
{
	(void)state;
	ticket_seeds_free(&head);
	return head == NULL ? 0 : -1;
}

static void rotations_that_differ_have_seeds_of_their_own(void **state)
{
	const struct ticket_seeds *first = head;

	(void)state;
	assert_int_equal(ticket_seeds_need(&head, ROTATION_S, 10, 5000), 0);
	assert_ptr_equal(head, first);
	assert_int_equal(head->lifetime_ms, LIFETIME_MS); /* the longest counts */
	assert_int_equal(head->list[0].since_ms, 1000);
	assert_int_equal(ticket_seeds_need(&head, 1, 10, 5000), 0);
	assert_ptr_equal(ticket_seeds_find(head, ROTATION_S), first);
	assert_ptr_equal(ticket_seeds_find(head, 1), head);
	assert_ptr_not_equal(head, first);
	assert_memory_not_equal(head->list[0].bytes, first->list[0].bytes, TICKET_SEED_BYTES);
	assert_null(ticket_seeds_find(head, 2));
}

static void a_new_seed_comes_in_time(void **state)
{
	struct ticket_seed old = head->list[0];

	(void)state;
	assert_int_equal(ticket_seeds_due_ms(head, 1000), ROTATION_MS);
	assert_false(ticket_seeds_rotate(head, 1000 + ROTATION_MS - 1));
	assert_int_equal(ticket_seeds_due_ms(head, 1000 + ROTATION_MS - 1), 1);
	assert_true(ticket_seeds_rotate(head, 1000 + ROTATION_MS));
	assert_int_equal(head->n, 2);
	assert_memory_equal(&head->list[1], &old, sizeof(old));
	assert_memory_not_equal(head->list[0].bytes, old.bytes, TICKET_SEED_BYTES);
	assert_int_equal(head->list[0].since_ms, 1000 + ROTATION_MS);
	assert_false(ticket_seeds_rotate(head, 1000 + ROTATION_MS));
	/* after a long sleep there is one new seed, not one for each period */
	assert_true(ticket_seeds_rotate(head, 1000 + 2 * ROTATION_MS + 7));
	assert_int_equal(head->n, 3);
}

static void an_old_seed_goes_when_its_tickets_have_expired(void **state)
{
	static const struct ticket_seed nothing;
	uint64_t second_ms = 1000 + ROTATION_MS;

	(void)state;
	assert_true(ticket_seeds_rotate(head, second_ms));
	/* the last ticket of the first seed was made as the second one came */
	for (uint64_t now = second_ms; now < second_ms + LIFETIME_MS; now += 1000) {
		(void)ticket_seeds_rotate(head, now);
		assert_int_equal(head->list[head->n - 1].since_ms, 1000);
	}
	(void)ticket_seeds_rotate(head, second_ms + LIFETIME_MS);
	assert_int_equal(head->list[head->n - 1].since_ms, second_ms);
	assert_memory_equal(&head->list[head->n], &nothing, sizeof(nothing)); /* wiped */
}

static void the_list_is_bounded(void **state)
{
	uint64_t now_ms = 1000;

	(void)state;
	head->lifetime_ms = UINT64_MAX / 2;
	for (int i = 0; i < TICKET_SEEDS_MAX + 10; i++) {
		now_ms += ROTATION_MS;
		assert_true(ticket_seeds_rotate(head, now_ms));
	}
	assert_int_equal(head->n, TICKET_SEEDS_MAX);
	assert_int_equal(head->list[0].since_ms, now_ms);
}

/* The exit status of a child that looks at the first byte of the seeds; -1: it was killed. */
static int child_looks(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)signal(SIGSEGV, SIG_DFL); /* no report of a sanitizer */
		_exit(head->list[0].bytes[0] == 0xa5 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void only_a_child_that_is_meant_to_gets_them(void **state)
{
	(void)state;
	head->list[0].bytes[0] = 0xa5;
	assert_int_equal(ticket_seeds_lend(head, true), 0);
	assert_int_equal(child_looks(), 0);
	assert_int_equal(ticket_seeds_lend(head, false), 0);
	assert_int_equal(child_looks(), -1);
}

static void a_child_returns_them_and_the_parent_keeps_them(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	head->list[0].bytes[0] = 0xa5;
	assert_int_equal(ticket_seeds_lend(head, true), 0);
	pid = fork();
	if (pid == 0) {
		ticket_seeds_return(&head);
		_exit(head == NULL ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(head->list[0].bytes[0], 0xa5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rotations_that_differ_have_seeds_of_their_own, make, done),
		cmocka_unit_test_setup_teardown(a_new_seed_comes_in_time, make, done),
		cmocka_unit_test_setup_teardown(an_old_seed_goes_when_its_tickets_have_expired, make, done),
		cmocka_unit_test_setup_teardown(the_list_is_bounded, make, done),
		cmocka_unit_test_setup_teardown(only_a_child_that_is_meant_to_gets_them, make, done),
		cmocka_unit_test_setup_teardown(a_child_returns_them_and_the_parent_keeps_them, make, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
