/*
 * The channel between the monitor and a worker. It checks the form of what
 * arrives (size, type, direction, at most one descriptor), since the other end may
 * have been taken over; what a message asks for is its receiver's to judge.
 */
#include "gateway/base/msg.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "gateway/base/util.h"

/* Room for one descriptor more than a message may bring, so that a second one is seen, and closed. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(2 * sizeof(int))];
};

static const struct {
	enum msg_receiver receiver;
	bool descriptor;
} types[MSG_TYPE_COUNT] = {
#define MSG(type, receiver, descriptor) [type] = { receiver, descriptor },
#include "gateway/base/msg.def"
#undef MSG
};

bool msg_is_for(enum msg_receiver receiver, const struct msg *msg, int fd)
{
	if (msg->type >= MSG_TYPE_COUNT || types[msg->type].receiver == MSG_TO_NOBODY)
		return false;
	return types[msg->type].receiver == receiver && (fd == -1 || types[msg->type].descriptor);
}

int msg_pair(int fds[static 2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == -1)
		return -errno;
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
