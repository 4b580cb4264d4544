/* Messages between two versions, and what is not one. */
#include "gateway/base/handover-link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "tests/unit/unit.h"

static void messages_and_descriptors(void **state)
{
	const struct handover_msg sent = { .type = HANDOVER_HELLO, .number = 4711, .text = "1.2.3" };
	struct handover_msg got;
	int pair[2], fds[HANDOVER_FDS_MAX], out[HANDOVER_FDS_MAX];
	size_t n = HANDOVER_FDS_MAX;

	(void)state;
	assert_int_equal(handover_pair(pair), 0);
	assert_int_equal(handover_receive(pair[1], &got, fds, &n), -EAGAIN);
	for (size_t i = 0; i < NELEM(out); i++)
		out[i] = STDIN_FILENO;
	assert_int_equal(handover_send(pair[0], &sent, out, HANDOVER_FDS_MAX), 0);
	n = HANDOVER_FDS_MAX;
	assert_int_equal(handover_receive(pair[1], &got, fds, &n), 1);
	assert_int_equal(n, HANDOVER_FDS_MAX);
	assert_int_equal(got.number, 4711);
	assert_string_equal(got.text, "1.2.3");
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
		fd_close(&fds[i]);
	}
	assert_int_equal(handover_send(pair[0], &sent, out, HANDOVER_FDS_MAX + 1), -EMSGSIZE);
	/* whoever wants none gets none */
	assert_int_equal(handover_send(pair[0], &sent, out, 2), 0);
	n = 0;
	assert_int_equal(handover_receive(pair[1], &got, NULL, &n), 1);
	assert_int_equal(n, 0);
	assert_int_equal(fcntl(pair[1] + 1, F_GETFD), -1);
	assert_int_equal(close(pair[0]), 0);
	assert_int_equal(handover_receive(pair[1], &got, NULL, &n), 0);
	assert_int_equal(close(pair[1]), 0);
}

static void other_messages(void **state)
{
	struct handover_msg msg = { .magic = HANDOVER_MAGIC,
				    .version = HANDOVER_VERSION,
				    .size = sizeof(msg) };
	struct handover_msg got;
	struct {
		const char *name;
		uint32_t magic;
		uint16_t version, size;
		size_t len;
		int want;
	} rows[] = {
		{ "good", HANDOVER_MAGIC, 1, sizeof(msg), sizeof(msg), 1 },
		{ "of a later version", HANDOVER_MAGIC, 99, sizeof(msg), sizeof(msg), 1 },
		{ "of no version", HANDOVER_MAGIC, 0, sizeof(msg), sizeof(msg), -EPROTO },
		{ "other magic", 1, 1, sizeof(msg), sizeof(msg), -EPROTO },
		{ "other size", HANDOVER_MAGIC, 1, 8, sizeof(msg), -EPROTO },
		{ "short", HANDOVER_MAGIC, 1, sizeof(msg), sizeof(msg) - 1, -EPROTO },
		{ "long", HANDOVER_MAGIC, 1, sizeof(msg), sizeof(msg) + 1, -EPROTO },
	};
	char bytes[sizeof(msg) + 1] = { 0 };
	int pair[2];
	size_t n = 0;

	(void)state;
	assert_int_equal(handover_pair(pair), 0);
	for (size_t i = 0; i < NELEM(rows); i++) {
		msg.magic = rows[i].magic;
		msg.version = rows[i].version;
		msg.size = rows[i].size;
		memset(msg.text, 'x', sizeof(msg.text)); /* without an end */
		memcpy(bytes, &msg, sizeof(msg));
		assert_int_equal(send(pair[0], bytes, rows[i].len, 0), (ssize_t)rows[i].len);
		assert_int_equal(handover_receive(pair[1], &got, NULL, &n), rows[i].want);
		if (rows[i].want == 1)
			assert_int_equal(strlen(got.text), sizeof(got.text) - 1);
	}
	assert_int_equal(close(pair[0]), 0);
	assert_int_equal(close(pair[1]), 0);
}

static void messages_that_may_be_lost_leave_room(void **state)
{
	const struct handover_msg plan = { .type = HANDOVER_PLAN }, go = { .type = HANDOVER_GO };
	struct handover_msg got = { .type = HANDOVER_PLAN };
	int pair[2], fd = STDIN_FILENO;
	size_t n = 0;

	(void)state;
	assert_int_equal(handover_pair(pair), 0);
	for (int i = 0; i < 10000; i++)
		if (handover_send_spare(pair[0], &plan, NULL, 0) == -EAGAIN)
			n++;
	assert_in_range(n, 1, 9999);
	for (int i = 0; i < 20; i++)
		assert_int_equal(handover_send(pair[0], &go, &fd, 1), 0);
	/* what is read makes room again */
	while (got.type == HANDOVER_PLAN) {
		n = 0;
		assert_int_equal(handover_receive(pair[1], &got, NULL, &n), 1);
	}
	assert_int_equal(handover_send_spare(pair[0], &plan, NULL, 0), 0);
	assert_int_equal(close(pair[1]), 0);
	assert_int_equal(handover_receive(pair[0], &got, NULL, &n), 0);
	assert_int_equal(handover_send_spare(pair[0], &plan, NULL, 0), -EPIPE);
	assert_int_equal(close(pair[0]), 0);
	assert_int_equal(handover_send_spare(-1, &plan, NULL, 0), -EAGAIN);
}

/* The message counts, and whoever needs the descriptor sees that there is none. */
static void a_receiver_without_room_for_descriptors(void **state)
{
	const struct handover_msg sent = { .type = HANDOVER_COUNTS_TOLD };
	struct handover_msg got;
	struct rlimit before, none;
	int pair[2], fds[1], fd = STDIN_FILENO;
	size_t n = 1;

	(void)state;
	assert_int_equal(handover_pair(pair), 0);
	assert_int_equal(handover_send(pair[0], &sent, &fd, 1), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = 3, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(handover_receive(pair[1], &got, fds, &n), 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(n, 0);
	assert_int_equal(got.type, HANDOVER_COUNTS_TOLD);
	assert_int_equal(close(pair[0]), 0);
	assert_int_equal(close(pair[1]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_and_descriptors),
		cmocka_unit_test(other_messages),
		cmocka_unit_test(messages_that_may_be_lost_leave_room),
		cmocka_unit_test(a_receiver_without_room_for_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
