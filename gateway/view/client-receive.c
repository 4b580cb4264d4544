/*
 * Receives a packet of answers together with its sender, which only the kernel
 * can tell: a worker may be under an attacker's control.
 */
#include "gateway/view/client-receive.h"

#include <string.h>
#include <sys/socket.h>

#include "gateway/base/ctl-order.h"
#include "gateway/view/client-check.h"

/* The sender of a packet, according to the kernel. 0: a process that is not visible from here. */
static pid_t sender_of(struct msghdr *header)
{
	struct ucred who = { .pid = 0 };

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg != NULL; cmsg = CMSG_NXTHDR(header, cmsg))
		if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_CREDENTIALS &&
		    cmsg->cmsg_len == CMSG_LEN(sizeof(who)))
			memcpy(&who, CMSG_DATA(cmsg), sizeof(who));
	return who.pid;
}

/* How many answers `received` bytes are. */
static size_t check(struct client_packet *packet, size_t received, bool whole)
{
	size_t n = received / sizeof(packet->answers[0]);

	if (ctl_order_is_answer(&packet->answers[0], received) || !whole || n == 0 ||
	    received % sizeof(packet->answers[0]) != 0) {
		client_check_answer(&packet->answers[0], whole ? received : 0);
		return 1;
	}
	for (size_t i = 0; i < n; i++)
		client_check_answer(&packet->answers[i], sizeof(packet->answers[i]));
	return n;
}

int client_receive(int fd, struct client_packet *ret)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec iov = { .iov_base = ret->answers, .iov_len = sizeof(ret->answers) };
	struct msghdr header = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n = recvmsg(fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	ret->n = ret->next = 0;
	if (n <= 0)
		return (int)n;
	ret->sender = sender_of(&header);
	ret->n = check(ret, (size_t)n, (header.msg_flags & MSG_TRUNC) == 0);
	return 1;
}

struct answer *client_packet_next(struct client_packet *packet)
{
	return packet->next < packet->n ? &packet->answers[packet->next++] : NULL;
}
