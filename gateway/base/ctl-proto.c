/*
 * The answering half of the control protocol: the monitor sends what it knows, and
 * each worker adds its sessions or servers. An answer is one packet and never waits.
 */
#include "gateway/base/ctl-proto.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(sizeof(struct ask) == CTL_ASK_BYTES, "tests make questions of this size");

void ctl_proto_begin(struct answer *answer, enum answer_kind kind)
{
	memset(answer, 0, sizeof(*answer)); /* it leaves the process: no chance padding */
	answer->version = CTL_VERSION;
	answer->kind = kind;
}

struct answer ctl_proto_answer(enum answer_kind kind)
{
	struct answer answer;

	ctl_proto_begin(&answer, kind);
	return answer;
}

int ctl_proto_send_packet(int fd, const void *packet, size_t size)
{
	ssize_t n;

	do {
		n = send(fd, packet, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	return 0;
}

int ctl_proto_send(int fd, const struct answer *answer)
{
	return ctl_proto_send_packet(fd, answer, sizeof(*answer));
}
