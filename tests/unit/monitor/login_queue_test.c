/* Whose turn it is to log in: the delays of a source hold over all its sessions, however they end. */
#include "gateway/monitor/login-queue.h"

#include "tests/unit/unit.h"

static struct loop loop;
static uint64_t gone[64]; /* sessions in the order of their turns */
static size_t ngone;
static bool crowded; /* said with the last turn */

static void go(void *owner, uint64_t session, bool others_wait)
{
	(void)owner;
	assert_true(ngone < NELEM(gone));
	gone[ngone++] = session;
	crowded = others_wait;
}

static struct ip_addr addr(const char *text)
{
	struct ip_addr result;

	assert_int_equal(ip_addr_parse(text, strlen(text), &result), 0);
	return result;
}

static void begin(struct login_queue *queue)
{
	ngone = 0;
	loop.now_ms = 100000;
	login_queue_init(queue, &loop, go);
}

/* Let the time come; the timers that are due fire. */
static void pass_ms(uint64_t ms)
{
	loop.now_ms += ms;
	while (loop.heap_len > 0 && loop.heap[1]->at_ms <= loop.now_ms) {
		struct timer *timer = loop.heap[1];

		loop_timer_stop(&loop, timer);
		timer->fn(timer);
	}
}

/* Each failure doubles the delay of the next attempt, which counts from the failure on. */
static void delays_double(void **state)
{
	static const uint64_t want_ms[] = { 0, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000 };
	const struct ip_addr key = addr("192.0.2.1");
	struct login_queue queue;

	(void)state;
	begin(&queue);
	for (size_t i = 0; i < NELEM(want_ms); i++) {
		assert_int_equal(login_queue_failures(&queue, &key), i);
		assert_true(login_queue_ask(&queue, i, NULL, &key, 1000));
		assert_false(login_queue_ask(&queue, i, NULL, &key, 1000));
		if (want_ms[i] > 0) {
			pass_ms(want_ms[i] - 1);
			assert_int_equal(ngone, i);
			pass_ms(1);
		}
		assert_int_equal(ngone, i + 1);
		login_queue_failed(&queue, i, &key);
	}
	/* who has waited already does not wait again */
	pass_ms(30000);
	assert_true(login_queue_ask(&queue, 99, NULL, &key, 1000));
	assert_int_equal(gone[ngone - 1], 99);
	login_queue_over(&queue, 99);
	pass_ms((uint64_t)10 * 60 * 1000 + 1);
	assert_int_equal(login_queue_failures(&queue, &key), 0);
	login_queue_done(&queue);
	assert_int_equal(loop.heap_len, 0);
}

/* 40 sessions at once get no further than one after the other. */
static void parallel_sessions_are_no_faster(void **state)
{
	const struct ip_addr key = addr("192.0.2.1");
	struct login_queue queue;

	(void)state;
	begin(&queue);
	for (uint64_t i = 0; i < 40; i++)
		assert_true(login_queue_ask(&queue, i, NULL, &key, 1000));
	assert_int_equal(ngone, 4); /* a client may open a few sessions at once */
	assert_true(crowded);
	for (size_t i = 0; i < 4; i++)
		login_queue_failed(&queue, gone[i], &key);
	assert_int_equal(ngone, 4);
	pass_ms(7999);
	assert_int_equal(ngone, 4);
	pass_ms(1);
	assert_int_equal(ngone, 5);
	pass_ms(9999); /* the fifth is not decided */
	assert_int_equal(ngone, 5);
	login_queue_done(&queue);
	assert_int_equal(loop.heap_len, 0);
}

/*
 * A server does not answer. Those who want to log in somewhere else do not wait for it for long; what fails
 * in the end counts.
 */
static void silence_holds_nobody_for_long(void **state)
{
	const struct ip_addr key = addr("192.0.2.1");
	struct login_queue queue;

	(void)state;
	begin(&queue);
	for (uint64_t i = 0; i < 9; i++)
		assert_true(login_queue_ask(&queue, i, NULL, &key, 1000));
	assert_int_equal(ngone, 4);
	pass_ms(9999);
	assert_int_equal(ngone, 4);
	pass_ms(1);
	assert_int_equal(ngone, 8);
	login_queue_failed(&queue, gone[0], &key); /* one at a time from here on */
	for (size_t i = 4; i < 8; i++)
		login_queue_over(&queue, gone[i]);
	assert_int_equal(login_queue_failures(&queue, &key), 1);
	assert_int_equal(ngone, 8);
	pass_ms(1000);
	assert_int_equal(ngone, 9);
	assert_true(login_queue_ask(&queue, 10, NULL, &key, 1000));
	pass_ms(9999);
	assert_int_equal(ngone, 9);
	pass_ms(1);
	assert_int_equal(ngone, 10);
	for (size_t i = 1; i < ngone; i++)
		login_queue_over(&queue, gone[i]);
	assert_null(queue.attempts);
	login_queue_done(&queue);
	assert_int_equal(loop.heap_len, 0);
}

/* Right passwords give their turns to those that wait, and leave nothing behind. */
static void logins_make_room(void **state)
{
	const struct ip_addr key = addr("192.0.2.1"), other = addr("192.0.2.2");
	struct login_queue queue;

	(void)state;
	begin(&queue);
	for (uint64_t i = 0; i < 40; i++)
		assert_true(login_queue_ask(&queue, i, NULL, &key, 1000));
	assert_true(login_queue_ask(&queue, 100, NULL, &other, 1000));
	assert_int_equal(ngone, 5);
	assert_false(crowded);
	login_queue_over(&queue, 39); /* it waits, and leaves */
	for (size_t i = 0; i < ngone; i++)
		login_queue_over(&queue, gone[i]);
	assert_int_equal(ngone, 40);
	assert_null(queue.attempts);
	assert_null(queue.sources);
	login_queue_over(&queue, 1); /* unknown by now */
	login_queue_done(&queue);
}

/* Leaving the queue does not shorten it for others, and a failure that asked for no turn counts. */
static void leaving_gains_nothing(void **state)
{
	const struct ip_addr key = addr("192.0.2.1");
	struct login_queue queue;

	(void)state;
	begin(&queue);
	login_queue_failed(&queue, 1, &key);
	login_queue_failed(&queue, 2, &key);
	assert_true(login_queue_ask(&queue, 3, NULL, &key, 1000));
	assert_true(login_queue_ask(&queue, 4, NULL, &key, 1000));
	assert_int_equal(ngone, 0);
	login_queue_failed(&queue, 3, &key); /* its client did not wait */
	pass_ms(3999);
	assert_int_equal(ngone, 0);
	pass_ms(1);
	assert_int_equal(ngone, 1);
	assert_int_equal(gone[0], 4);
	login_queue_done(&queue);
}

/* As many sources as fit: the one that was not used for the longest time is forgotten. */
static void the_oldest_source_makes_room(void **state)
{
	struct ip_addr key = addr("10.0.0.0"), first = key, waits = addr("10.9.9.9");
	struct login_queue queue;

	(void)state;
	begin(&queue);
	login_queue_failed(&queue, 1, &waits);
	assert_true(login_queue_ask(&queue, 1, NULL, &waits, 1000));
	for (uint32_t i = 0; i < 10000; i++) {
		key.bytes[2] = (uint8_t)(i >> 8);
		key.bytes[3] = (uint8_t)i;
		login_queue_failed(&queue, 2, &key);
	}
	assert_int_equal(login_queue_failures(&queue, &waits), 1); /* it is in use */
	assert_int_equal(login_queue_failures(&queue, &first), 0);
	assert_int_equal(login_queue_failures(&queue, &key), 1);
	login_queue_done(&queue);
}

static int loop_up(void **state)
{
	(void)state;
	return loop_init(&loop);
}

static int loop_down(void **state)
{
	(void)state;
	loop_done(&loop);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delays_double),
		cmocka_unit_test(parallel_sessions_are_no_faster),
		cmocka_unit_test(silence_holds_nobody_for_long),
		cmocka_unit_test(logins_make_room),
		cmocka_unit_test(leaving_gains_nothing),
		cmocka_unit_test(the_oldest_source_makes_room),
	};

	return cmocka_run_group_tests(tests, loop_up, loop_down);
}
