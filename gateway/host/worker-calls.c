/*
 * What a worker may ask of the kernel after its start, besides what libraries need
 * (filter.c): TCP sockets, epoll, the log. It opens no file, starts no program,
 * touches no process, and passes no descriptor on.
 */
#include "gateway/host/worker-calls.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "gateway/base/util.h"
#include "gateway/host/filter.h"

/* Rows with these flags are for policies with `ktls`, and for those whose sessions dial themselves. */
#define CALLS_KTLS 1u
#define CALLS_DIAL 2u

#define STREAM_TYPE (SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)

/* The arguments of a call are numbered from 0. */
static const struct filter_row rows[] = {
	/* the loop */
	{ .call = SCMP_SYS(epoll_wait) },
	{ .call = SCMP_SYS(epoll_pwait) },
	{ .call = SCMP_SYS(epoll_ctl) },
	{ .call = SCMP_SYS(ppoll) },
	/* bytes */
	{ .call = SCMP_SYS(writev) },
	{ .call = SCMP_SYS(recvfrom) },
	{ .call = SCMP_SYS(close) },
	/* without an address: with one, and TCP Fast Open, it dials */
	{ .call = SCMP_SYS(sendto),
	  .args = { [3] = { FILTER_WITHOUT, MSG_FASTOPEN }, [4] = { FILTER_NULL, 0 } } },
	/* without offsets, which could point into the log, and never to a channel */
	{ .call = SCMP_SYS(splice),
	  .args = { [1] = { FILTER_NULL, 0 }, [2] = { FILTER_OTHER_FD, 0 }, [3] = { FILTER_NULL, 0 } } },
	/* the audit trail is opened anew: its number stays, and nothing gets a number of the first ones */
	{ .call = SCMP_SYS(dup3),
	  .args = { [1] = { FILTER_IS, WORKER_AUDIT_FD }, [2] = { FILTER_IS, O_CLOEXEC } } },
	{ .call = SCMP_SYS(dup3),
	  .args = { [1] = { FILTER_IS, WORKER_XFERLOG_FD }, [2] = { FILTER_IS, O_CLOEXEC } } },
	/* descriptors come through this channel only */
	{ .call = SCMP_SYS(recvmsg), .args = { [0] = { FILTER_IS, WORKER_CHANNEL_FD } } },
	/* it can pass descriptors on, but OpenSSL needs it to end TLS in the kernel */
	{ .call = SCMP_SYS(sendmsg),
	  .only_if = CALLS_KTLS,
	  .args = { [0] = { FILTER_OTHER_FD, 0 }, [2] = { FILTER_WITHOUT, MSG_FASTOPEN } } },
	/* TCP sockets */
	{ .call = SCMP_SYS(socket),
	  .args = { [0] = { FILTER_IS, AF_INET },
		    [1] = { FILTER_IS, STREAM_TYPE },
		    [2] = { FILTER_IS, 0 } } },
	{ .call = SCMP_SYS(socket),
	  .args = { [0] = { FILTER_IS, AF_INET6 },
		    [1] = { FILTER_IS, STREAM_TYPE },
		    [2] = { FILTER_IS, 0 } } },
	{ .call = SCMP_SYS(listen) },
	{ .call = SCMP_SYS(accept4) },
	{ .call = SCMP_SYS(getsockname) },
	{ .call = SCMP_SYS(getpeername) },
	/* not on the log, which may be a socket that other processes use */
	{ .call = SCMP_SYS(bind), .args = { [0] = { FILTER_OTHER_FD, 0 } } },
	{ .call = SCMP_SYS(connect), .only_if = CALLS_DIAL, .args = { [0] = { FILTER_OTHER_FD, 0 } } },
	{ .call = SCMP_SYS(shutdown), .args = { [0] = { FILTER_OTHER_FD, 0 } } },
	{ .call = SCMP_SYS(getsockopt),
	  .args = { [1] = { FILTER_IS, SOL_SOCKET }, [2] = { FILTER_IS, SO_ERROR } } },
	{ .call = SCMP_SYS(setsockopt),
	  .args = { [1] = { FILTER_IS, SOL_SOCKET }, [2] = { FILTER_IS, SO_REUSEADDR } } },
	{ .call = SCMP_SYS(setsockopt),
	  .args = { [1] = { FILTER_IS, SOL_SOCKET }, [2] = { FILTER_IS, SO_OOBINLINE } } },
	{ .call = SCMP_SYS(setsockopt),
	  .args = { [1] = { FILTER_IS, SOL_SOCKET }, [2] = { FILTER_IS, SO_KEEPALIVE } } },
	{ .call = SCMP_SYS(setsockopt),
	  .args = { [1] = { FILTER_IS, SOL_SOCKET }, [2] = { FILTER_IS, SO_RCVLOWAT } } },
	{ .call = SCMP_SYS(setsockopt),
	  .args = { [1] = { FILTER_IS, SOL_SOCKET }, [2] = { FILTER_IS, SO_LINGER } } },
	{ .call = SCMP_SYS(setsockopt),
	  .args = { [1] = { FILTER_IS, IPPROTO_TCP }, [2] = { FILTER_IS, TCP_NODELAY } } },
	{ .call = SCMP_SYS(setsockopt),
	  .args = { [1] = { FILTER_IS, IPPROTO_TCP }, [2] = { FILTER_IS, TCP_KEEPIDLE } } },
	{ .call = SCMP_SYS(setsockopt),
	  .args = { [1] = { FILTER_IS, IPPROTO_TCP }, [2] = { FILTER_IS, TCP_KEEPINTVL } } },
	{ .call = SCMP_SYS(setsockopt),
	  .args = { [1] = { FILTER_IS, IPPROTO_TCP }, [2] = { FILTER_IS, TCP_KEEPCNT } } },
	{ .call = SCMP_SYS(setsockopt),
	  .args = { [1] = { FILTER_IS, IPPROTO_IP }, [2] = { FILTER_IS, IP_BIND_ADDRESS_NO_PORT } } },
	{ .call = SCMP_SYS(setsockopt),
	  .args = { [1] = { FILTER_IS, IPPROTO_IPV6 }, [2] = { FILTER_IS, IPV6_V6ONLY } } },
	{ .call = SCMP_SYS(setsockopt),
	  .only_if = CALLS_KTLS,
	  .args = { [1] = { FILTER_IS, IPPROTO_TCP }, [2] = { FILTER_IS, TCP_ULP } } },
	{ .call = SCMP_SYS(setsockopt),
	  .only_if = CALLS_KTLS,
	  .args = { [1] = { FILTER_IS, SOL_TLS }, [2] = { FILTER_IS, TLS_TX } } },
	{ .call = SCMP_SYS(ioctl), .args = { [1] = { FILTER_IS, SIOCOUTQ } } },
	{ .call = SCMP_SYS(ioctl), .args = { [1] = { FILTER_IS, SIOCINQ } } },
	/* memory: hints of libc and OpenSSL */
	{ .call = SCMP_SYS(madvise), .args = { [2] = { FILTER_IS, MADV_FREE } } },
	{ .call = SCMP_SYS(madvise), .args = { [2] = { FILTER_IS, MADV_HUGEPAGE } } },
	{ .call = SCMP_SYS(madvise), .args = { [2] = { FILTER_IS, MADV_DONTDUMP } } },
};

int worker_calls_filter(bool ktls, bool dials)
{
	return filter_load(rows, NELEM(rows), (ktls ? CALLS_KTLS : 0) | (dials ? CALLS_DIAL : 0));
}
