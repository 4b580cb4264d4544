/*
 * What a worker under an attacker's control may try with the kernel. Each attack
 * runs in a process of its own that has gone through the same sandbox as a worker.
 * Prints a line for each attack: its name, and "killed" by the filter, "done", or the
 * name of the error.
 *
 *     worker_attacks [ktls | dials | http]
 *
 * with the calls that only some policies need, or in the sandbox of the HTTP process.
 *
 * As root the processes have another user and an empty root folder, as workers have.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/http-setup.h"
#include "gateway/base/msg.h"
#include "gateway/base/util.h"
#include "gateway/host/http-calls.h"
#include "gateway/host/sandbox.h"
#include "gateway/host/worker-calls.h"
#include "gateway/key/link.h"

#define NOBODY 65534
/* A worker's descriptors that are no session's, and a session's. */
#define LOG_FD	   STDERR_FILENO
#define SESSION_FD 40
/* Where descriptors wait until none is in the way of another. */
#define FAR 60
/* The kernel takes an int for what its lower half says, a filter may not. */
#define DISGUISED(value) ((long)(0x100000000ul | (unsigned long)(value)))
#define POINTER(object)	 ((long)(uintptr_t) & (object))
#define IPPROTO_MPTCP_	 262
#define X32_BIT		 0x40000000
/* no number: int 0x80 with the number of getpid */
#define CALL_OF_I386 (-1)

static char byte;
static char page[4096] __attribute__((aligned(4096)));
static const char name[] = "/etc/passwd";
static long zero;
static int on = 1;
static const struct sockaddr_in loopback = { .sin_family = AF_INET, .sin_addr.s_addr = 0x0100007f };
static union {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
} control;
static struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
static struct msghdr with_descriptor = {
	.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
};

#define CALL(number) .call = SYS_##number

static const struct {
	const char *name;
	long call;
	long args[6];
} attacks[] = {
	/* signals to other processes, by fcntl and ioctl */
	{ "fcntl F_SETOWN", CALL(fcntl), { SESSION_FD, F_SETOWN, 1 } },
	{ "fcntl F_SETOWN disguised", CALL(fcntl), { SESSION_FD, DISGUISED(F_SETOWN), 1 } },
	{ "fcntl F_SETOWN_EX", CALL(fcntl), { SESSION_FD, F_SETOWN_EX, POINTER(zero) } },
	{ "fcntl F_SETSIG", CALL(fcntl), { SESSION_FD, F_SETSIG, SIGKILL } },
	{ "fcntl F_SETFL O_ASYNC", CALL(fcntl), { SESSION_FD, F_SETFL, O_ASYNC | O_NONBLOCK } },
	{ "fcntl F_NOTIFY", CALL(fcntl), { SESSION_FD, F_NOTIFY, DN_MODIFY } },
	{ "fcntl F_SETLEASE", CALL(fcntl), { LOG_FD, F_SETLEASE, F_RDLCK } },
	{ "ioctl FIOASYNC", CALL(ioctl), { SESSION_FD, FIOASYNC, POINTER(on) } },
	{ "ioctl FIOSETOWN", CALL(ioctl), { SESSION_FD, FIOSETOWN, POINTER(on) } },
	{ "ioctl SIOCSPGRP", CALL(ioctl), { SESSION_FD, SIOCSPGRP, POINTER(on) } },
	{ "ioctl TIOCSTI", CALL(ioctl), { LOG_FD, TIOCSTI, POINTER(byte) } },
	{ "kill", CALL(kill), { 1, 0 } },
	{ "tgkill", CALL(tgkill), { 1, 1, 0 } },
	{ "tkill", CALL(tkill), { 1, 0 } },
	{ "rt_sigqueueinfo", CALL(rt_sigqueueinfo), { 1, 0, POINTER(page) } },
	{ "pidfd_send_signal", CALL(pidfd_send_signal), { SESSION_FD, 0, 0, 0 } },
	/* other processes */
	{ "ptrace", CALL(ptrace), { 0 } },
	{ "process_vm_readv", CALL(process_vm_readv), { 1, POINTER(iov), 1, POINTER(iov), 1, 0 } },
	{ "process_vm_writev", CALL(process_vm_writev), { 1, POINTER(iov), 1, POINTER(iov), 1, 0 } },
	{ "pidfd_open", CALL(pidfd_open), { 1, 0 } },
	{ "pidfd_getfd", CALL(pidfd_getfd), { SESSION_FD, 0, 0 } },
	{ "execve", CALL(execve), { POINTER(name), POINTER(zero), POINTER(zero) } },
	{ "execveat",
	  CALL(execveat),
	  { LOG_FD, POINTER(name), POINTER(zero), POINTER(zero), AT_EMPTY_PATH } },
	{ "clone", CALL(clone), { SIGCHLD, 0, 0, 0, 0 } },
	{ "clone3", CALL(clone3), { POINTER(page), 64 } },
	{ "prlimit64", CALL(prlimit64), { 1, 0, 0, POINTER(page) } },
	/* descriptors of one's own, which the filter knows by number */
	{ "fcntl F_DUPFD", CALL(fcntl), { LOG_FD, F_DUPFD, SESSION_FD } },
	{ "dup", CALL(dup), { LOG_FD } },
	{ "dup3", CALL(dup3), { LOG_FD, 50, 0 } },
	{ "dup3 to a session's number", CALL(dup3), { WORKER_AUDIT_FD, 50, O_CLOEXEC } },
	{ "dup3 over the channel", CALL(dup3), { SESSION_FD, WORKER_CHANNEL_FD, O_CLOEXEC } },
	{ "dup3 over the log", CALL(dup3), { SESSION_FD, LOG_FD, O_CLOEXEC } },
	{ "dup3 that survives an exec", CALL(dup3), { SESSION_FD, WORKER_AUDIT_FD, 0 } },
	{ "pipe2", CALL(pipe2), { POINTER(page), 0 } },
	{ "socketpair", CALL(socketpair), { AF_UNIX, SOCK_STREAM, 0, POINTER(page) } },
	{ "memfd_create", CALL(memfd_create), { POINTER(name), 0 } },
	{ "sendmsg on a session", CALL(sendmsg), { SESSION_FD, POINTER(with_descriptor), MSG_NOSIGNAL } },
	{ "sendmsg to the monitor",
	  CALL(sendmsg),
	  { WORKER_CHANNEL_FD, POINTER(with_descriptor), MSG_NOSIGNAL } },
	{ "sendmsg to the monitor disguised",
	  CALL(sendmsg),
	  { DISGUISED(WORKER_CHANNEL_FD), POINTER(with_descriptor), MSG_NOSIGNAL } },
	{ "sendmsg to the log", CALL(sendmsg), { LOG_FD, POINTER(with_descriptor), MSG_NOSIGNAL } },
	{ "sendmmsg", CALL(sendmmsg), { WORKER_CHANNEL_FD, POINTER(with_descriptor), 1, 0 } },
	{ "sendmsg to the signer", CALL(sendmsg), { WORKER_KEY_FD, POINTER(with_descriptor), MSG_NOSIGNAL } },
	{ "sendmsg to the signer disguised",
	  CALL(sendmsg),
	  { DISGUISED(WORKER_KEY_FD), POINTER(with_descriptor), MSG_NOSIGNAL } },
	{ "recvmsg from the signer",
	  CALL(recvmsg),
	  { WORKER_KEY_FD, POINTER(with_descriptor), MSG_DONTWAIT } },
	{ "dup of the signer's socket", CALL(dup), { WORKER_KEY_FD } },
	{ "splice to the signer",
	  CALL(splice),
	  { SESSION_FD, 0, WORKER_KEY_FD, 0, 4096, SPLICE_F_NONBLOCK } },
	{ "shutdown of the signer's socket", CALL(shutdown), { WORKER_KEY_FD, SHUT_RDWR } },
	{ "shutdown of the signer's socket disguised",
	  CALL(shutdown),
	  { DISGUISED(WORKER_KEY_FD), SHUT_RDWR } },
	{ "connect of the signer's socket",
	  CALL(connect),
	  { WORKER_KEY_FD, POINTER(loopback), sizeof(loopback) } },
	{ "getsockopt SO_PEERCRED of the signer",
	  CALL(getsockopt),
	  { WORKER_KEY_FD, SOL_SOCKET, SO_PEERCRED, POINTER(page), POINTER(on) } },
	{ "setsockopt SO_RCVTIMEO of the signer's socket",
	  CALL(setsockopt),
	  { WORKER_KEY_FD, SOL_SOCKET, SO_RCVTIMEO, POINTER(page), 16 } },
	{ "setsockopt SO_PASSCRED of the signer's socket",
	  CALL(setsockopt),
	  { WORKER_KEY_FD, SOL_SOCKET, SO_PASSCRED, POINTER(on), 4 } },
	{ "recvmsg on a session", CALL(recvmsg), { SESSION_FD, POINTER(with_descriptor), MSG_DONTWAIT } },
	/* the log */
	{ "fcntl F_SETFL without O_APPEND", CALL(fcntl), { LOG_FD, F_SETFL, 0 } },
	{ "splice into the log", CALL(splice), { SESSION_FD, 0, LOG_FD, 0, 4096, SPLICE_F_NONBLOCK } },
	{ "splice to an offset",
	  CALL(splice),
	  { SESSION_FD, 0, SESSION_FD, POINTER(zero), 4096, SPLICE_F_NONBLOCK } },
	{ "splice into the pipe of reports",
	  CALL(splice),
	  { SESSION_FD, 0, WORKER_REPORTS_FD, 0, 4096, SPLICE_F_NONBLOCK } },
	{ "vmsplice", CALL(vmsplice), { WORKER_REPORTS_FD, POINTER(iov), 1, SPLICE_F_NONBLOCK } },
	{ "tee", CALL(tee), { SESSION_FD, WORKER_REPORTS_FD, 1, SPLICE_F_NONBLOCK } },
	{ "sendfile", CALL(sendfile), { SESSION_FD, LOG_FD, 0, 1 } },
	{ "lseek", CALL(lseek), { LOG_FD, 0, SEEK_SET } },
	{ "pwrite64", CALL(pwrite64), { LOG_FD, POINTER(byte), 1, 0 } },
	{ "ftruncate", CALL(ftruncate), { LOG_FD, 0 } },
	{ "fallocate", CALL(fallocate), { LOG_FD, 3, 0, 1 } },
	{ "copy_file_range", CALL(copy_file_range), { SESSION_FD, 0, LOG_FD, POINTER(zero), 1, 0 } },
	{ "shutdown of the audit trail", CALL(shutdown), { WORKER_AUDIT_FD, SHUT_RDWR } },
	{ "connect of the audit trail",
	  CALL(connect),
	  { WORKER_AUDIT_FD, POINTER(loopback), sizeof(loopback) } },
	{ "splice into the audit trail",
	  CALL(splice),
	  { SESSION_FD, 0, WORKER_AUDIT_FD, 0, 4096, SPLICE_F_NONBLOCK } },
	{ "ftruncate of the audit trail", CALL(ftruncate), { WORKER_AUDIT_FD, 0 } },
	{ "pwrite64 of the audit trail", CALL(pwrite64), { WORKER_AUDIT_FD, POINTER(byte), 1, 0 } },
	{ "shutdown of the log", CALL(shutdown), { LOG_FD, SHUT_RDWR } },
	{ "shutdown of the log disguised", CALL(shutdown), { DISGUISED(LOG_FD), SHUT_RDWR } },
	{ "bind of the log", CALL(bind), { LOG_FD, POINTER(loopback), sizeof(loopback) } },
	{ "connect", CALL(connect), { SESSION_FD, POINTER(loopback), sizeof(loopback) } },
	{ "connect of the log", CALL(connect), { LOG_FD, POINTER(loopback), sizeof(loopback) } },
	/* other sockets than TCP, and options that no session needs */
	{ "socket UDP", CALL(socket), { AF_INET, SOCK_DGRAM, 0 } },
	{ "socket UDP of IPv6", CALL(socket), { AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0 } },
	{ "socket UDPLITE", CALL(socket), { AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE } },
	{ "socket MPTCP",
	  CALL(socket),
	  { AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_MPTCP_ } },
	{ "socket SCTP",
	  CALL(socket),
	  { AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_SCTP } },
	{ "socket raw", CALL(socket), { AF_INET, SOCK_RAW, IPPROTO_ICMP } },
	{ "socket UNIX", CALL(socket), { AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0 } },
	{ "socket netlink", CALL(socket), { AF_NETLINK, SOCK_RAW, 0 } },
	{ "socket packet", CALL(socket), { AF_PACKET, SOCK_RAW, 0 } },
	{ "socket ALG", CALL(socket), { 38, SOCK_SEQPACKET, 0 } },
	{ "socket VSOCK", CALL(socket), { 40, SOCK_STREAM, 0 } },
	{ "setsockopt SO_ATTACH_FILTER",
	  CALL(setsockopt),
	  { SESSION_FD, SOL_SOCKET, SO_ATTACH_FILTER, POINTER(page), 16 } },
	{ "setsockopt SO_ATTACH_FILTER disguised",
	  CALL(setsockopt),
	  { SESSION_FD, SOL_SOCKET, DISGUISED(SO_ATTACH_FILTER), POINTER(page), 16 } },
	{ "setsockopt SO_ATTACH_BPF",
	  CALL(setsockopt),
	  { SESSION_FD, SOL_SOCKET, SO_ATTACH_BPF, POINTER(on), 4 } },
	{ "setsockopt SO_BINDTODEVICE",
	  CALL(setsockopt),
	  { SESSION_FD, SOL_SOCKET, SO_BINDTODEVICE, POINTER(page), 4 } },
	{ "setsockopt SO_RCVTIMEO",
	  CALL(setsockopt),
	  { SESSION_FD, SOL_SOCKET, SO_RCVTIMEO, POINTER(page), 16 } },
	{ "setsockopt IP_TRANSPARENT",
	  CALL(setsockopt),
	  { SESSION_FD, IPPROTO_IP, IP_TRANSPARENT, POINTER(on), 4 } },
	{ "setsockopt IP_OPTIONS",
	  CALL(setsockopt),
	  { SESSION_FD, IPPROTO_IP, IP_OPTIONS, POINTER(page), 4 } },
	{ "setsockopt TCP_REPAIR",
	  CALL(setsockopt),
	  { SESSION_FD, IPPROTO_TCP, TCP_REPAIR, POINTER(on), 4 } },
	{ "setsockopt TCP_FASTOPEN_CONNECT",
	  CALL(setsockopt),
	  { SESSION_FD, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, POINTER(on), 4 } },
	{ "setsockopt TCP_ULP", CALL(setsockopt), { SESSION_FD, IPPROTO_TCP, TCP_ULP, POINTER(name), 3 } },
	{ "setsockopt TCP_MD5SIG",
	  CALL(setsockopt),
	  { SESSION_FD, IPPROTO_TCP, TCP_MD5SIG, POINTER(page), 100 } },
	{ "getsockopt TCP_INFO",
	  CALL(getsockopt),
	  { SESSION_FD, IPPROTO_TCP, TCP_INFO, POINTER(page), POINTER(on) } },
	{ "getsockopt SO_PEERSEC",
	  CALL(getsockopt),
	  { WORKER_CHANNEL_FD, SOL_SOCKET, SO_PEERSEC, POINTER(page), POINTER(on) } },
	{ "sendto with an address",
	  CALL(sendto),
	  { SESSION_FD, POINTER(byte), 1, 0, POINTER(loopback), sizeof(loopback) } },
	{ "sendto MSG_FASTOPEN", CALL(sendto), { SESSION_FD, POINTER(byte), 1, MSG_FASTOPEN, 0, 0 } },
	/* code */
	{ "mmap PROT_EXEC",
	  CALL(mmap),
	  { 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 } },
	{ "mmap of a file", CALL(mmap), { 0, 4096, PROT_READ, MAP_PRIVATE, LOG_FD, 0 } },
	{ "mprotect PROT_EXEC", CALL(mprotect), { POINTER(page), 4096, PROT_READ | PROT_EXEC } },
	{ "pkey_mprotect", CALL(pkey_mprotect), { POINTER(page), 4096, PROT_EXEC, -1 } },
	{ "shmget", CALL(shmget), { 0, 4096, 0600 } },
	{ "personality", CALL(personality), { 0x0400000 } },
	{ "madvise MADV_HWPOISON", CALL(madvise), { POINTER(page), 4096, 100 } },
	{ "madvise MADV_MERGEABLE", CALL(madvise), { POINTER(page), 4096, MADV_MERGEABLE } },
	{ "futex of other processes", CALL(futex), { POINTER(zero), FUTEX_WAKE, 1 } },
	{ "futex FUTEX_LOCK_PI", CALL(futex), { POINTER(zero), FUTEX_LOCK_PI_PRIVATE, 0, 0 } },
	/* files */
	{ "open", CALL(openat), { AT_FDCWD, POINTER(name), O_RDONLY } },
	{ "stat", CALL(newfstatat), { AT_FDCWD, POINTER(name), POINTER(page), 0 } },
	{ "openat2", CALL(openat2), { AT_FDCWD, POINTER(name), POINTER(page), 24 } },
	{ "unlinkat", CALL(unlinkat), { AT_FDCWD, POINTER(name), 0 } },
	{ "mkdirat", CALL(mkdirat), { AT_FDCWD, POINTER(name), 0700 } },
	{ "chroot", CALL(chroot), { POINTER(name) } },
	{ "fchdir", CALL(fchdir), { WORKER_ROOT_FD } },
	/* privileges and other doors into the kernel */
	{ "setuid", CALL(setuid), { 0 } },
	{ "prctl PR_SET_DUMPABLE", CALL(prctl), { PR_SET_DUMPABLE, 1, 0, 0, 0 } },
	{ "seccomp", CALL(seccomp), { 1, 0, POINTER(page) } },
	{ "bpf", CALL(bpf), { 0, POINTER(page), 4 } },
	{ "io_uring_setup", CALL(io_uring_setup), { 1, POINTER(page) } },
	{ "userfaultfd", CALL(userfaultfd), { 0 } },
	{ "perf_event_open", CALL(perf_event_open), { POINTER(page), 0, -1, -1, 0 } },
	{ "keyctl", CALL(keyctl), { 0, 0, 0, 0, 0 } },
	{ "unshare", CALL(unshare), { 0x10000000 } },
	{ "setns", CALL(setns), { SESSION_FD, 0 } },
	{ "mount", CALL(mount), { POINTER(name), POINTER(name), 0, 0, 0 } },
	{ "rt_sigaction", CALL(rt_sigaction), { SIGTERM, 0, 0, 8 } },
#ifdef __x86_64__
	{ "fork", CALL(fork), { 0 } },
	{ "vfork", CALL(vfork), { 0 } },
	{ "dup2", CALL(dup2), { LOG_FD, 50 } },
	{ "creat", CALL(creat), { POINTER(name), 0600 } },
	{ "getpid of i386", .call = CALL_OF_I386, { 0 } },
	{ "getpid of x32", .call = SYS_getpid + X32_BIT, { 0 } },
#endif
	/* what a worker does all day; all other lines would prove nothing without these */
	{ "worker: a socket", CALL(socket), { AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0 } },
	{ "worker: a socket of IPv6",
	  CALL(socket),
	  { AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0 } },
	{ "worker: bind", CALL(bind), { SESSION_FD, POINTER(loopback), sizeof(loopback) } },
	{ "worker: listen", CALL(listen), { SESSION_FD, 1 } },
	{ "worker: getsockname", CALL(getsockname), { SESSION_FD, POINTER(page), POINTER(on) } },
	{ "worker: setsockopt", CALL(setsockopt), { SESSION_FD, SOL_SOCKET, SO_LINGER, POINTER(page), 8 } },
	{ "worker: ioctl", CALL(ioctl), { SESSION_FD, SIOCOUTQ, POINTER(zero) } },
	{ "worker: a line of the log", CALL(write), { LOG_FD, POINTER(name), 5 } },
	{ "worker: a request to the signer",
	  CALL(sendto),
	  { WORKER_KEY_FD, POINTER(page), 8, MSG_NOSIGNAL, 0, 0 } },
	{ "worker: memory",
	  CALL(mmap),
	  { 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 } },
	{ "worker: getrandom", CALL(getrandom), { POINTER(page), 16, 0 } },
	{ "worker: close", CALL(close), { SESSION_FD } },
	/* and the HTTP process */
	{ "http: accept", CALL(accept4), { HTTP_LISTENER_FD, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC } },
	{ "http: shutdown", CALL(shutdown), { SESSION_FD, SHUT_RDWR } },
	{ "http: a question", CALL(write), { HTTP_QUESTIONS_FD, POINTER(page), 8 } },
	{ "http: an answer", CALL(recvmsg), { SESSION_FD, POINTER(with_descriptor), MSG_DONTWAIT } },
	{ "http: how much memory there is", CALL(sysinfo), { POINTER(page) } },
};

static long make_call(long call, const long a[static 6])
{
#ifdef __x86_64__
	long r = 20;

	if (call == CALL_OF_I386) {
		__asm__ volatile("int $0x80" : "+a"(r) : : "memory");
		return r;
	}
#endif
	return syscall(call, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* A worker with its descriptors. Returns only when all is as in a worker that serves. */
static void become_worker(bool ktls, bool dials, int log)
{
	int channel[2], reports[2], signer[2];
	struct sandbox_worker setup = {
		.root = -1, .uid = NOBODY, .gid = NOBODY, .ktls = ktls, .dials = dials
	};
	int session = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const char *what = "channels";
	int r = msg_channel(channel);

	if (r == 0)
		r = msg_reports(reports);
	if (r == 0)
		r = key_link_pair(signer);
	if (r == 0 && geteuid() == 0) {
		setup.root = sandbox_empty_root();
		r = setup.root < 0 ? setup.root : 0;
	}
	if (r == 0 && (dup2(session, SESSION_FD) == -1 || dup2(log, LOG_FD) == -1 ||
		       dup2(channel[1], WORKER_CHANNEL_FD) == -1 ||
		       dup2(reports[1], WORKER_REPORTS_FD) == -1 || dup2(signer[0], WORKER_KEY_FD) == -1))
		r = -errno;
	if (r == 0)
		r = sandbox_worker(&setup, &what);
	if (r < 0) {
		(void)printf("no sandbox: %s, %s\n", what, strerror(-r));
		(void)fflush(stdout);
		_exit(EXIT_FAILURE);
	}
}

/* The HTTP process with its descriptors: a listener that nobody dials, and a connection. */
static void become_http(int log)
{
	int channel[2], reports[2];
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int session = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int root = geteuid() == 0 ? sandbox_empty_root() : -1;
	const char *what = "channels";
	int r = listen(listener, 1) == -1 ? -errno : msg_channel(channel);

	if (r == 0)
		r = msg_reports(reports);
	if (r == 0 &&
	    (dup2(session, SESSION_FD) == -1 || dup2(log, LOG_FD) == -1 ||
	     dup2(listener, HTTP_LISTENER_FD + FAR) == -1 || dup2(channel[1], HTTP_ORDERS_FD + FAR) == -1 ||
	     dup2(reports[1], HTTP_QUESTIONS_FD + FAR) == -1 ||
	     dup2(HTTP_LISTENER_FD + FAR, HTTP_LISTENER_FD) == -1 ||
	     dup2(HTTP_ORDERS_FD + FAR, HTTP_ORDERS_FD) == -1 ||
	     dup2(HTTP_QUESTIONS_FD + FAR, HTTP_QUESTIONS_FD) == -1))
		r = -errno;
	if (r == 0)
		r = http_calls_sandbox(root, NOBODY, NOBODY, &what);
	if (r < 0) {
		(void)printf("no sandbox: %s, %s\n", what, strerror(-r));
		(void)fflush(stdout);
		_exit(EXIT_FAILURE);
	}
}

static void attack(size_t i, bool ktls, bool dials, bool http, int log, int result)
{
	long r;
	int error;

	/* out of the way of the descriptors that a worker has */
	result = fcntl(result, F_DUPFD_CLOEXEC, SESSION_FD + 1);
	log = fcntl(log, F_DUPFD_CLOEXEC, SESSION_FD + 2);
	if (http)
		become_http(log);
	else
		become_worker(ktls, dials, log);
	r = make_call(attacks[i].call, attacks[i].args);
	error = r == -1 ? errno : 0;
	(void)!write(result, &error, sizeof(error));
	_exit(EXIT_SUCCESS);
}

static void run(size_t i, bool ktls, bool dials, bool http, int log)
{
	int result[2], status, error = 0;
	pid_t pid;

	if (pipe(result) == -1)
		exit(EXIT_FAILURE);
	pid = fork();
	if (pid == 0)
		attack(i, ktls, dials, http, log, result[1]);
	(void)close(result[1]);
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		exit(EXIT_FAILURE);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		(void)printf("%s: killed\n", attacks[i].name);
	else if (read(result[0], &error, sizeof(error)) != (ssize_t)sizeof(error))
		(void)printf("%s: ended with %d\n", attacks[i].name, status);
	else
		(void)printf("%s: %s\n", attacks[i].name, error == 0 ? "done" : strerrorname_np(error));
	(void)close(result[0]);
}

int main(int argc, char **argv)
{
	bool ktls = argc > 1 && strcmp(argv[1], "ktls") == 0;
	bool dials = argc > 1 && strcmp(argv[1], "dials") == 0;
	bool http = argc > 1 && strcmp(argv[1], "http") == 0;
	int log = open("/dev/null", O_WRONLY | O_APPEND | O_CLOEXEC);

	(void)setvbuf(stdout, NULL, _IONBF, 0);
	control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
					   .cmsg_level = SOL_SOCKET,
					   .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.header), &(int){ SESSION_FD }, sizeof(int));
	for (size_t i = 0; i < NELEM(attacks); i++)
		run(i, ktls, dials, http, log);
	return EXIT_SUCCESS;
}
