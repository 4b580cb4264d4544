/* Sends and receives the messages of an upgrade, and checks their form. */
#include "gateway/base/handover-link.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/util.h"

_Static_assert(sizeof(struct handover_msg) == 512 && sizeof(struct handover_waiting) == 72,
	       "other versions send and receive these");

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * HANDOVER_FDS_MAX)];
};

int handover_pair(int ret[static 2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ret) == -1 ? -errno : 0;
}

int handover_send(int fd, const struct handover_msg *msg, const int *fds, size_t nfds)
{
	struct handover_msg sent = *msg;
	struct iovec vector = { .iov_base = &sent, .iov_len = sizeof(sent) };
	struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };
	union control control;
	ssize_t n;

	if (nfds > HANDOVER_FDS_MAX)
		return -EMSGSIZE;
	sent.magic = HANDOVER_MAGIC;
	sent.version = HANDOVER_VERSION;
	sent.size = sizeof(sent);
	if (nfds > 0) {
		memset(&control, 0, sizeof(control));
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		control.align = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int) * nfds),
						  .cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.align), fds, sizeof(int) * nfds);
	}
	do {
		n = sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n == -1 && errno == EINTR);
	return n == -1 ? -errno : 0;
}

/* Is less than half of what the link can hold still unread? */
static bool has_spare_room(int fd)
{
	int unread, size;
	socklen_t len = sizeof(size);

	return ioctl(fd, SIOCOUTQ, &unread) == 0 && getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len) == 0 &&
	       unread < size / 2;
}

int handover_send_spare(int fd, const struct handover_msg *msg, const int *fds, size_t nfds)
{
	return has_spare_room(fd) ? handover_send(fd, msg, fds, nfds) : -EAGAIN;
}

/* Those beyond `max` are closed. */
static size_t take_descriptors(struct msghdr *header, int *fds, size_t max)
{
	size_t taken = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (taken < max)
				fds[taken++] = fd;
			else
				fd_close(&fd);
		}
	}
	return taken;
}

int handover_receive(int fd, struct handover_msg *ret, int *ret_fds, size_t *ret_nfds)
{
	struct iovec vector = { .iov_base = ret, .iov_len = sizeof(*ret) };
	union control control;
	struct msghdr header = { .msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control) };
	size_t max = *ret_nfds;
	int reset = 0;
	ssize_t n;
	bool good;

	*ret_nfds = 0;
	do {
		n = recvmsg(fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
		/* the peer has gone without reading all; what it has said before is still there */
		reset = n == -1 && errno == ECONNRESET ? reset + 1 : 0;
	} while (n == -1 && (errno == EINTR || reset == 1));
	if (n == -1)
		return errno == EAGAIN || errno == EWOULDBLOCK ? -EAGAIN : errno == ECONNRESET ? 0 : -errno;
	*ret_nfds = take_descriptors(&header, ret_fds, max);
	if (n == 0)
		return 0;
	ret->text[HANDOVER_TEXT_MAX - 1] = '\0';
	good = n == (ssize_t)sizeof(*ret) && (header.msg_flags & MSG_TRUNC) == 0 &&
	       ret->magic == HANDOVER_MAGIC && ret->version >= 1 && ret->size == sizeof(*ret);
	/* with MSG_CTRUNC, this process has no room for all descriptors: the caller misses them all */
	while (*ret_nfds > 0 && (!good || (header.msg_flags & MSG_CTRUNC) != 0))
		fd_close(&ret_fds[--*ret_nfds]);
	return good ? 1 : -EPROTO;
}
