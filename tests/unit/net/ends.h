/* Both ends of a connection for the tests of net/: one is a stream, the other a bare socket. */
#ifndef ATTLSD_TESTS_UNIT_NET_ENDS_H
#define ATTLSD_TESTS_UNIT_NET_ENDS_H

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "gateway/net/stream.h"
#include "tests/unit/unit.h"

/* Far above what any event here takes; reaching it is a failure. */
#define EVENT_MS 10000

static inline void ends_tcp(int fds[static 2])
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_not_equal(listener, -1);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	fds[1] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fds[1], (struct sockaddr *)&address, sizeof(address)), 0);
	fds[0] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	assert_int_not_equal(fds[0], -1);
	(void)close(listener);
}

static inline void ends_unix(int fds[static 2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
}

static inline void ends_on_event(struct watch *watch, uint32_t ready)
{
	(void)watch, (void)ready;
}

/* A stream on one end; the other end is returned. */
static inline int ends_stream(struct stream *stream, struct loop *loop, void make(int fds[static 2]))
{
	int fds[2];

	make(fds);
	stream_init(stream, loop, ends_on_event);
	stream_adopt(stream, &fds[0]);
	return fds[1];
}

/* Wait for it: the kernel delivers over the loopback interface when it likes. */
static inline void ends_wait(int fd, short events)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };

	assert_int_equal(poll(&poll_fd, 1, EVENT_MS), 1);
}

/* Read what is there now. Returns the number of bytes; the end or a reset, a negative errno, is *ret_end. */
static inline size_t ends_read(int fd, uint8_t *buf, size_t size, int *ret_end)
{
	size_t len = 0;
	ssize_t n;

	*ret_end = -EAGAIN;
	while (len < size) {
		n = recv(fd, buf + len, size - len, MSG_DONTWAIT);
		if (n > 0) {
			len += (size_t)n;
			continue;
		}
		*ret_end = n == 0 ? 0 : -errno;
		break;
	}
	return len;
}

/* A byte of a file that no shift or swap leaves as it is. */
static inline uint8_t ends_byte(size_t at)
{
	return (uint8_t)(at ^ at >> 8 ^ at >> 16);
}

static inline uint8_t *ends_file(size_t len)
{
	uint8_t *file = malloc(len > 0 ? len : 1);

	assert_non_null(file);
	for (size_t i = 0; i < len; i++)
		file[i] = ends_byte(i);
	return file;
}

/* Close it so that the other end is reset. */
static inline void ends_reset(int *fd)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	assert_int_equal(setsockopt(*fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	fd_close(fd);
}

#endif
