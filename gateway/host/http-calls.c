/*
 * What the HTTP process may ask of the kernel after its start, besides what libraries
 * need (filter.c): it accepts connections, reads, writes and closes them. It makes no
 * socket, connects to nothing, opens no file and starts no program; its questions go
 * through a pipe that it has, and the answers come through sockets that it is given.
 */
#include "gateway/host/http-calls.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "gateway/base/http-setup.h"
#include "gateway/base/util.h"
#include "gateway/host/filter.h"
#include "gateway/host/sandbox.h"

static const struct filter_row rows[] = {
	/* the loop, and that of the library */
	{ .call = SCMP_SYS(epoll_wait) },
	{ .call = SCMP_SYS(epoll_pwait) },
	{ .call = SCMP_SYS(epoll_ctl) },
	/* connections */
	{ .call = SCMP_SYS(accept4), .args = { [0] = { FILTER_IS, HTTP_LISTENER_FD } } },
	{ .call = SCMP_SYS(accept4), .args = { [0] = { FILTER_IS, HTTP_AGENT_FD } } },
	{ .call = SCMP_SYS(recvfrom), .args = { [0] = { FILTER_OTHER_FD, 0 } } },
	/* without an address: with one, and TCP Fast Open, it dials; the log may be a socket */
	{ .call = SCMP_SYS(sendto),
	  .args = { [3] = { FILTER_WITHOUT, MSG_FASTOPEN }, [4] = { FILTER_NULL, 0 } } },
	/* never on the monitor's socket: it can pass descriptors on */
	{ .call = SCMP_SYS(sendmsg),
	  .args = { [0] = { FILTER_OTHER_FD, 0 }, [2] = { FILTER_WITHOUT, MSG_FASTOPEN } } },
	{ .call = SCMP_SYS(writev), .args = { [0] = { FILTER_OTHER_FD, 0 } } },
	{ .call = SCMP_SYS(shutdown), .args = { [0] = { FILTER_OTHER_FD, 0 } } },
	{ .call = SCMP_SYS(close) },
	{ .call = SCMP_SYS(getsockname) },
	{ .call = SCMP_SYS(getpeername) },
	{ .call = SCMP_SYS(setsockopt),
	  .args = { [1] = { FILTER_IS, IPPROTO_TCP }, [2] = { FILTER_IS, TCP_NODELAY } } },
	{ .call = SCMP_SYS(setsockopt),
	  .args = { [1] = { FILTER_IS, IPPROTO_TCP }, [2] = { FILTER_IS, TCP_CORK } } },
	/* a limit for close() */
	{ .call = SCMP_SYS(setitimer), .args = { [0] = { FILTER_IS, ITIMER_REAL } } },
	/* qsort() wants to know how much memory there is, and works without */
	{ .call = SCMP_SYS(sysinfo), .error = ENOSYS },
	/* sockets with answers, and the packets in them */
	{ .call = SCMP_SYS(recvmsg), .args = { [0] = { FILTER_IS, HTTP_ORDERS_FD } } },
	{ .call = SCMP_SYS(recvmsg), .args = { [0] = { FILTER_OTHER_FD, 0 } } },
};

int http_calls_sandbox(int root, unsigned uid, unsigned gid, const char **ret_what)
{
	int r = sandbox_confine(root, uid, gid, ret_what);

	if (r < 0)
		return r;
	*ret_what = "descriptors";
	r = filter_fill_own_fds();
	if (r < 0)
		return r;
	*ret_what = "seccomp";
	return filter_load(rows, NELEM(rows), 0);
}
