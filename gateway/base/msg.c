/*
 * The channels between the monitor and a worker. They check the form of what
 * arrives (size, type, direction, at most one descriptor), since the other end may
 * have been taken over; what a message asks for is its receiver's to judge.
 */
#include "gateway/base/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "gateway/base/util.h"

/* Room for one descriptor more than a message may bring, so that a second one is seen, and closed. */
/* For some hundreds of reports. */
#define REPORTS_BYTES (256 * 1024)

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(2 * sizeof(int))];
};

static const struct {
	const char *name;
	enum msg_receiver receiver;
	bool descriptor;
} types[MSG_TYPE_COUNT] = {
#define MSG(type, receiver, descriptor) [type] = { #type, receiver, descriptor },
#include "gateway/base/msg.def"
#undef MSG
};

const char *msg_name(uint32_t type)
{
	return type < MSG_TYPE_COUNT ? types[type].name : NULL;
}

bool msg_is_for(enum msg_receiver receiver, const struct msg *msg, int fd)
{
	if (msg->type >= MSG_TYPE_COUNT || types[msg->type].receiver == MSG_TO_NOBODY)
		return false;
	return types[msg->type].receiver == receiver && (fd == -1 || types[msg->type].descriptor);
}

_Static_assert(sizeof(struct msg) <= PIPE_BUF, "a pipe takes a report whole or not at all");

int msg_channel(int fds[static 2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == -1)
		return -errno;
	/* What the worker sends would stay queued here, with its descriptors. This refuses it. */
	if (shutdown(fds[0], SHUT_RD) == -1) {
		int r = -errno;

		fd_close(&fds[0]);
		fd_close(&fds[1]);
		return r;
	}
	return 0;
}

int msg_reports(int fds[static 2])
{
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) == -1)
		return -errno;
	/* if the host allows no more, a busy worker waits sooner */
	(void)fcntl(fds[0], F_SETPIPE_SZ, REPORTS_BYTES);
	return 0;
}

int msg_send(int channel, const struct msg *msg, int fd)
{
	struct msg copy = *msg;
	struct iovec iov = { .iov_base = &copy, .iov_len = sizeof(copy) };
	union control control;
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (fd != -1) {
		struct cmsghdr *cmsg;

		memset(&control, 0, sizeof(control));
		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(sizeof(int));
		cmsg = CMSG_FIRSTHDR(&header);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	do {
		n = sendmsg(channel, &header, MSG_NOSIGNAL);
	} while (n == -1 && errno == EINTR);
	return n == -1 ? -errno : 0;
}

/* The descriptor that came along. More than one is a fault, and none of them stays open. */
static int take_fd(struct msghdr *header, int *ret_fd)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(header);
	size_t n = 0;
	int fd;

	if (cmsg == NULL || cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
		return 0;
	for (; CMSG_LEN((n + 1) * sizeof(fd)) <= cmsg->cmsg_len; n++) {
		memcpy(&fd, CMSG_DATA(cmsg) + n * sizeof(fd), sizeof(fd));
		if (n == 0)
			*ret_fd = fd;
		else
			fd_close(&fd);
	}
	if (n > 1)
		fd_close(ret_fd);
	return n > 1 ? -EPROTO : 0;
}

int msg_receive(int channel, struct msg *ret_msg, int *ret_fd)
{
	struct iovec iov = { .iov_base = ret_msg, .iov_len = sizeof(*ret_msg) };
	union control control;
	struct msghdr header = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n;
	int r;

	*ret_fd = -1;
	do {
		n = recvmsg(channel, &header, MSG_CMSG_CLOEXEC);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	r = take_fd(&header, ret_fd);
	if (r < 0)
		return r;
	if (n == 0 && *ret_fd == -1)
		return 0;
	if (n != (ssize_t)sizeof(*ret_msg) || (header.msg_flags & MSG_TRUNC)) {
		fd_close(ret_fd);
		return -EPROTO;
	}
	if (header.msg_flags & MSG_CTRUNC)
		fd_close(ret_fd);
	return 1;
}

int msg_report(int reports, const struct msg *msg)
{
	ssize_t n;

	do {
		n = write(reports, msg, sizeof(*msg));
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	return 0;
}

int msg_take(int reports, struct msg *ret_msg)
{
	ssize_t n;

	do {
		n = read(reports, ret_msg, sizeof(*ret_msg));
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	if (n == 0)
		return 0;
	return n == (ssize_t)sizeof(*ret_msg) ? 1 : -EPROTO;
}
