/* One process asks another: how it treats what comes or does not come. */
#include "gateway/base/ask-link.h"

#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/loop.h"
#include "tests/unit/unit.h"

#define WAIT_MS 50

struct answer {
	uint64_t serial; /* 0: another one has started */
	uint8_t more;
};

static enum ask_heard judge(const void *answer, size_t n, uint64_t serial)
{
	const struct answer *heard = answer;

	if (n != sizeof(heard->serial))
		return ASK_HEARD_NONSENSE;
	if (heard->serial == 0)
		return ASK_HEARD_STARTED;
	return heard->serial == serial ? ASK_HEARD_ANSWER : ASK_HEARD_LATE;
}

static enum ask_result ask(struct ask_link *link)
{
	struct answer answer;
	const struct ask_question question = { .request = &link->serial,
					       .request_bytes = sizeof(link->serial),
					       .answer = &answer,
					       .answer_size = sizeof(answer),
					       .judge = judge,
					       .attempts = 2 };

	return ask_link_ask(link, &question);
}

/* What waits at the answering end. */
static size_t requests(int fd)
{
	uint64_t serial;
	size_t n = 0;

	while (recv(fd, &serial, sizeof(serial), MSG_DONTWAIT) == sizeof(serial))
		n++;
	return n;
}

enum { MINE, OTHER, STARTED, NONSENSE, NOTHING };

static void say(int fd, int what, uint64_t serial)
{
	const uint64_t said[] = { [MINE] = serial, [OTHER] = serial - 1, [STARTED] = 0, [NONSENSE] = serial };

	if (what != NOTHING)
		assert_int_equal(send(fd, &said[what], what == NONSENSE ? 3 : sizeof(said[0]), 0),
				 what == NONSENSE ? 3 : sizeof(said[0]));
}

/* Only a plain link leaves what came before the request, so that the test can say it first. */
static void test_answers(void **state)
{
	static const struct {
		const char *name;
		int says[3];
		enum ask_result want;
		size_t requests;
	} rows[] = {
		{ "the answer", { MINE, NOTHING, NOTHING }, ASK_ANSWERED, 1 },
		{ "a late one first", { OTHER, MINE, NOTHING }, ASK_ANSWERED, 1 },
		{ "sent again", { STARTED, MINE, NOTHING }, ASK_ANSWERED, 2 },
		{ "not a third time", { STARTED, STARTED, MINE }, ASK_DIED, 2 },
		{ "nonsense", { NONSENSE, MINE, NOTHING }, ASK_MALFORMED, 1 },
		{ "silence", { NOTHING, NOTHING, NOTHING }, ASK_SILENT, 1 },
		{ "only late ones", { OTHER, OTHER, NOTHING }, ASK_SILENT, 1 },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct ask_link link;
		int fds[2];

		assert_int_equal(ask_link_pair(fds, WAIT_MS, true), 0);
		assert_int_equal(ask_link_init(&link, fds[0], WAIT_MS), 0);
		link.plain = true;
		(void)ask_link_next(&link);
		for (size_t j = 0; j < NELEM(rows[i].says); j++)
			say(fds[1], rows[i].says[j], link.serial);
		if (ask(&link) != rows[i].want || requests(fds[1]) != rows[i].requests)
			fail_msg("%s", rows[i].name);
		(void)close(fds[0]);
		(void)close(fds[1]);
	}
}

/* After one wait, nothing is sent until something comes. */
static void test_silence(void **state)
{
	struct ask_link link;
	int fds[2];

	(void)state;
	assert_int_equal(ask_link_pair(fds, WAIT_MS, false), 0);
	assert_int_equal(ask_link_init(&link, fds[0], WAIT_MS), 0);
	(void)ask_link_next(&link);
	assert_int_equal(ask(&link), ASK_SILENT);
	assert_int_equal(requests(fds[1]), 1);
	assert_int_equal(ask(&link), ASK_LEFT_ALONE);
	assert_int_equal(requests(fds[1]), 0);
	say(fds[1], STARTED, link.serial);
	assert_int_equal(ask(&link), ASK_SILENT); /* asked again */
	assert_int_equal(requests(fds[1]), 1);
	link.silent_until_ms = loop_clock_ms(); /* some time later */
	assert_int_equal(ask(&link), ASK_SILENT);
	assert_int_equal(requests(fds[1]), 1);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void test_no_reader(void **state)
{
	struct ask_link link;
	int fds[2];

	(void)state;
	assert_int_equal(ask_link_pair(fds, WAIT_MS, false), 0);
	assert_int_equal(ask_link_init(&link, fds[0], WAIT_MS), 0);
	while (send(fds[0], "full", 4, MSG_DONTWAIT) == 4)
		;
	assert_int_equal(ask(&link), ASK_UNREAD);
	(void)close(fds[1]);
	assert_int_equal(ask(&link), ASK_GONE);
	(void)close(fds[0]);
}

static void test_serial(void **state)
{
	struct ask_link link = { .serial = UINT64_MAX };

	(void)state;
	assert_int_equal(ask_link_next(&link), 1);
	assert_int_equal(ask_link_next(&link), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_no_reader),
		cmocka_unit_test(test_serial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
