#include "gateway/base/msg.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "tests/unit/unit.h"

/* More than a message may carry, and than the receiver has room for. */
#define FDS_MAX 8

/* Packets that another process may send. */
static const struct {
	const char *name;
	size_t len;
	size_t fds;
	int want;
	bool want_fd;
} packets[] = {
	{ "a message", sizeof(struct msg), 0, 1, false },
	{ "with a descriptor", sizeof(struct msg), 1, 1, true },
	{ "with two", sizeof(struct msg), 2, -EPROTO, false },
	{ "with three", sizeof(struct msg), 3, -EPROTO, false },
	{ "with many", sizeof(struct msg), FDS_MAX, -EPROTO, false },
	{ "too short", sizeof(struct msg) - 1, 0, -EPROTO, false },
	{ "too long", sizeof(struct msg) + 1, 0, -EPROTO, false },
	{ "one byte", 1, 0, -EPROTO, false },
	{ "too short, with a descriptor", sizeof(struct msg) - 1, 1, -EPROTO, false },
	{ "too long, with a descriptor", sizeof(struct msg) + 1, 1, -EPROTO, false },
	{ "too long, with two", sizeof(struct msg) + 1, 2, -EPROTO, false },
	{ "nothing but a descriptor", 0, 1, -EPROTO, false },
	{ "nothing but two", 0, 2, -EPROTO, false },
	{ "nothing", 0, 0, 0, false },
};

static size_t open_fds(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(folder);
	while (readdir(folder) != NULL)
		n++;
	assert_int_equal(closedir(folder), 0);
	return n;
}

static void send_packet(int channel, size_t len, size_t nfds, int fd)
{
	static const char bytes[sizeof(struct msg) + 1];
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = { .bytes = { 0 } };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds > 0) {
		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(nfds * sizeof(int));
		for (size_t i = 0; i < nfds; i++)
			memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(channel, &header, 0), len);
}

/* A packet is a message or is refused. No descriptor stays open without the caller's knowledge. */
static void test_packets(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(msg_channel(fds), 0);
	for (size_t i = 0; i < NELEM(packets); i++) {
		size_t before = open_fds();
		struct msg msg;
		int fd = 12345, r;

		send_packet(fds[0], packets[i].len, packets[i].fds, STDIN_FILENO);
		r = msg_receive(fds[1], &msg, &fd);
		if (r != packets[i].want || (fd != -1) != packets[i].want_fd)
			fail_msg("%s: result %d, descriptor %d", packets[i].name, r, fd);
		if (fd != -1)
			assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		fd_close(&fd);
		if (open_fds() != before)
			fail_msg("%s: descriptors are left open", packets[i].name);
	}
	fd_close(&fds[0]);
	fd_close(&fds[1]);
}

/* Messages arrive in order, and the descriptor is of the same file. */
static void test_there_and_back(void **state)
{
	const struct msg sent[] = {
		{ .type = MSG_SESSION, .session = UINT64_MAX, .listener = 7, .failures = 3 },
		{ .type = MSG_ANNOUNCED, .serial = 9, .error = -EPERM },
	};
	struct msg msg;
	int fds[2], pipe_fds[2], fd;
	char byte = 0;

	(void)state;
	assert_int_equal(msg_channel(fds), 0);
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(msg_receive(fds[1], &msg, &fd), -EAGAIN);
	assert_int_equal(fd, -1);
	assert_int_equal(msg_send(fds[0], &sent[0], pipe_fds[1]), 0);
	assert_int_equal(msg_send(fds[0], &sent[1], -1), 0);
	fd_close(&pipe_fds[1]); /* the message holds it */
	assert_int_equal(msg_receive(fds[1], &msg, &fd), 1);
	assert_memory_equal(&msg, &sent[0], sizeof(msg));
	assert_int_equal(write(fd, "x", 1), 1);
	fd_close(&fd);
	assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
	assert_int_equal(read(pipe_fds[0], &byte, 1), 0);
	assert_int_equal(msg_receive(fds[1], &msg, &fd), 1);
	assert_memory_equal(&msg, &sent[1], sizeof(msg));
	assert_int_equal(fd, -1);
	fd_close(&fds[0]);
	assert_int_equal(msg_receive(fds[1], &msg, &fd), 0);
	fd_close(&fds[1]);
	fd_close(&pipe_fds[0]);
}

/*
 * If the receiver does not read, sending fails instead of waiting; if it is gone,
 * sending fails without a signal.
 */
static void test_no_wait(void **state)
{
	const struct msg msg = { .type = MSG_READY };
	int fds[2], r = 0;

	(void)state;
	assert_int_equal(msg_channel(fds), 0);
	for (int i = 0; i < 100000 && r == 0; i++)
		r = msg_send(fds[0], &msg, -1);
	assert_int_equal(r, -EAGAIN);
	fd_close(&fds[1]);
	assert_int_equal(msg_send(fds[0], &msg, -1), -ECONNRESET); /* there were unread ones */
	assert_int_equal(msg_send(fds[0], &msg, -1), -EPIPE);
	fd_close(&fds[0]);
}

/* If the receiver has no descriptor left, the message comes without one. */
static void test_no_descriptor_left(void **state)
{
	const struct msg sent = { .type = MSG_SOCKET_READY, .serial = 1 };
	struct rlimit limit, low;
	struct msg msg;
	int fds[2], fd;

	(void)state;
	assert_int_equal(msg_channel(fds), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(msg_send(fds[0], &sent, STDIN_FILENO), 0);
	low = (struct rlimit){ .rlim_cur = 0, .rlim_max = limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(msg_receive(fds[1], &msg, &fd), 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_memory_equal(&msg, &sent, sizeof(msg));
	assert_int_equal(fd, -1);
	fd_close(&fds[0]);
	fd_close(&fds[1]);
}

/* The kernel refuses what the worker sends through the socket for orders, so no descriptor waits there. */
static void test_orders_go_one_way(void **state)
{
	const struct msg msg = { .type = MSG_DRAIN };
	int fds[2];

	(void)state;
	assert_int_equal(msg_channel(fds), 0);
	assert_int_equal(msg_send(fds[1], &msg, STDIN_FILENO), -EPIPE);
	assert_int_equal(msg_send(fds[1], &msg, -1), -EPIPE);
	assert_int_equal(write(fds[1], "x", 1), -1);
	assert_int_equal(msg_send(fds[0], &msg, -1), 0);
	fd_close(&fds[0]);
	fd_close(&fds[1]);
}

/* Bytes that a worker may write. */
static const struct {
	const char *name;
	size_t len;
	int want[3];
} written[] = {
	{ "nothing", 0, { -EAGAIN, -EAGAIN, -EAGAIN } },
	{ "a report", sizeof(struct msg), { 1, -EAGAIN, -EAGAIN } },
	{ "two", 2 * sizeof(struct msg), { 1, 1, -EAGAIN } },
	{ "a piece", sizeof(struct msg) - 1, { -EPROTO, -EAGAIN, -EAGAIN } },
	{ "one byte", 1, { -EPROTO, -EAGAIN, -EAGAIN } },
	{ "one and a byte", sizeof(struct msg) + 1, { 1, -EPROTO, -EAGAIN } },
};

static void test_reports(void **state)
{
	static const char zeros[2 * sizeof(struct msg)];
	struct msg msg;
	int fds[2];

	(void)state;
	for (size_t i = 0; i < NELEM(written); i++) {
		assert_int_equal(msg_reports(fds), 0);
		assert_int_equal(write(fds[1], zeros, written[i].len), written[i].len);
		for (size_t j = 0; j < NELEM(written[i].want); j++)
			if (msg_take(fds[0], &msg) != written[i].want[j])
				fail_msg("%s, %zu", written[i].name, j);
		fd_close(&fds[1]);
		assert_int_equal(msg_take(fds[0], &msg), 0);
		fd_close(&fds[0]);
	}
}

/* A full pipe takes no piece of a report; the reading end waits for nothing, whatever the worker sets. */
static void test_a_full_pipe(void **state)
{
	const struct msg sent = { .type = MSG_SESSION_END, .session = 7 };
	struct msg msg;
	int fds[2], r = 0, n = 0;

	(void)state;
	assert_int_equal(msg_reports(fds), 0);
	while ((r = msg_report(fds[1], &sent)) == 0)
		n++;
	assert_int_equal(r, -EAGAIN);
	assert_true(n > 256);
	assert_int_equal(fcntl(fds[1], F_SETFL, 0), 0);
	for (; n > 0; n--) {
		assert_int_equal(msg_take(fds[0], &msg), 1);
		assert_memory_equal(&msg, &sent, sizeof(msg));
	}
	assert_int_equal(msg_take(fds[0], &msg), -EAGAIN);
	fd_close(&fds[0]);
	assert_int_equal(msg_report(fds[1], &sent), -EPIPE);
	fd_close(&fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders_go_one_way),  cmocka_unit_test(test_reports),
		cmocka_unit_test(test_a_full_pipe),	   cmocka_unit_test(test_packets),
		cmocka_unit_test(test_there_and_back),	   cmocka_unit_test(test_no_wait),
		cmocka_unit_test(test_no_descriptor_left),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* as in a worker */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
