#include "gateway/net/coalesce.h"

#include "tests/unit/net/ends.h"

#define MIB 1048576u

/* Both ends of a connection over the loopback interface. */
struct pair {
	int sender, reader;
};

static void pair_open(struct pair *pair)
{
	int fds[2];

	ends_tcp(fds);
	*pair = (struct pair){ .sender = fds[1], .reader = fds[0] };
}

static void pair_close(struct pair *pair)
{
	(void)close(pair->sender);
	(void)close(pair->reader);
}

static int wakes_at(int fd)
{
	int bytes = 0;
	socklen_t len = sizeof(bytes);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, &len), 0);
	return bytes;
}

static bool tells(int fd, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, timeout_ms) == 1;
}

/* How fast is fast, and when it is asked. */
static void test_judgement(void **state)
{
	static const struct {
		uint64_t now_ms, bytes;
		bool on;
	} steps[] = {
		{ 1000, 0, false },
		{ 1009, 900u * MIB, false }, /* too early to say */
		{ 1010, 900u * MIB, true },
		{ 1015, 900u * MIB, true },
		{ 1020, 900u * MIB + COALESCE_RATE * 10 - 1, false },
		{ 1030, 900u * MIB + COALESCE_RATE * 20 - 1, true },  /* just fast enough */
		{ 1130, 900u * MIB + COALESCE_RATE * 120 - 1, true }, /* over a longer time */
		{ 9130, 901u * MIB + COALESCE_RATE * 120, false },    /* a pause, and a little more */
		{ 9139, 999u * MIB, false },
		{ 9140, 999u * MIB, true },
		{ 9150, 999u * MIB, false }, /* nothing since */
	};
	struct coalesce coalesce;
	struct pair pair;

	(void)state;
	pair_open(&pair);
	coalesce_start(&coalesce, 1000);
	for (size_t i = 0; i < NELEM(steps); i++) {
		coalesce_look(&coalesce, pair.reader, steps[i].now_ms, steps[i].bytes);
		if (coalesce.on != steps[i].on)
			fail_msg("step %zu: on is %d", i, coalesce.on);
		assert_int_equal(wakes_at(pair.reader), steps[i].on ? COALESCE_BYTES : 1);
	}
	pair_close(&pair);
}

/* What the kernel keeps back comes out when it is turned off, and the end is not kept back at all. */
static void test_nothing_is_kept_for_ever(void **state)
{
	struct coalesce coalesce;
	struct pair pair;
	char some[1000] = { 0 };

	(void)state;
	pair_open(&pair);
	coalesce_start(&coalesce, 0);
	coalesce_look(&coalesce, pair.reader, 10, 100u * MIB);
	assert_true(coalesce.on);
	assert_int_equal(send(pair.sender, some, sizeof(some), 0), sizeof(some));
	assert_false(tells(pair.reader, 20));
	coalesce_look(&coalesce, pair.reader, 20, 100u * MIB);
	assert_false(coalesce.on);
	assert_true(tells(pair.reader, 10000));
	assert_int_equal(recv(pair.reader, some, sizeof(some), 0), sizeof(some));

	coalesce_look(&coalesce, pair.reader, 30, 200u * MIB);
	assert_true(coalesce.on);
	assert_int_equal(send(pair.sender, some, sizeof(some), 0), sizeof(some));
	assert_false(tells(pair.reader, 20));
	assert_int_equal(shutdown(pair.sender, SHUT_WR), 0);
	assert_true(tells(pair.reader, 10000));
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judgement),
		cmocka_unit_test(test_nothing_is_kept_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
