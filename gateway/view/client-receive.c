/*
 * Receives one packet of an answer together with its sender, which only the kernel
 * can tell: a worker may be under an attacker's control.
 */
#include "gateway/view/client-receive.h"

#include <string.h>
#include <sys/socket.h>

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

ssize_t client_receive(int fd, struct answer *ret, pid_t *ret_sender)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec iov = { .iov_base = ret, .iov_len = sizeof(*ret) };
	struct msghdr header = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n = recvmsg(fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	*ret_sender = n > 0 ? sender_of(&header) : 0;
	return n > 0 && (header.msg_flags & MSG_TRUNC) ? (ssize_t)sizeof(*ret) + 1 : n;
}
