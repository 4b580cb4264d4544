/*
 * Gives up privileges for good: capabilities in the monitor; user, root folder and
 * system calls in a worker. What a worker may still call is the table below.
 */
#include "gateway/host/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>
#include <unistd.h>

#include "gateway/base/util.h"

int sandbox_monitor(bool net_admin)
{
	capng_clear(CAPNG_SELECT_BOTH);
	(void)capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, CAP_SETUID,
			    CAP_SETGID, CAP_SYS_CHROOT, CAP_KILL, CAP_NET_BIND_SERVICE, CAP_DAC_READ_SEARCH,
			    -1);
	if (net_admin)
		(void)capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
				   CAP_NET_ADMIN);
	return capng_apply(CAPNG_SELECT_CAPS) == 0 ? 0 : -EPERM;
}

bool sandbox_has_net_admin(void)
{
	return capng_get_caps_process() == 0 && capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) == 1;
}

int sandbox_empty_root(void)
{
	char path[] = "/tmp/attlsd-root-XXXXXX";
	int fd;
	int r;

	if (mkdtemp(path) == NULL)
		return -errno;
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	r = fd == -1 ? -errno : fd;
	(void)rmdir(path); /* a folder without a name takes no new entries */
	return r;
}

#if defined(__SANITIZE_ADDRESS__)
/* The sanitizers' run-time opens files, maps memory and starts threads: no filter in such builds. */
static int filter_calls(void)
{
	return 0;
}
#else
/*
 * The system calls of a worker after its start: sockets, epoll, memory, time,
 * randomness, the log. It opens no file, starts no program and touches no process.
 */
static const int allowed_calls[] = {
	SCMP_SYS(accept4),	 SCMP_SYS(bind),	   SCMP_SYS(brk),
	SCMP_SYS(clock_gettime), SCMP_SYS(close),	   SCMP_SYS(connect),
	SCMP_SYS(epoll_ctl),	 SCMP_SYS(epoll_pwait),	   SCMP_SYS(epoll_wait),
	SCMP_SYS(exit),		 SCMP_SYS(exit_group),	   SCMP_SYS(fcntl),
	SCMP_SYS(futex),	 SCMP_SYS(getpeername),	   SCMP_SYS(getpid),
	SCMP_SYS(getrandom),	 SCMP_SYS(getsockname),	   SCMP_SYS(getsockopt),
	SCMP_SYS(gettimeofday),	 SCMP_SYS(listen),	   SCMP_SYS(madvise),
	SCMP_SYS(mmap),		 SCMP_SYS(mprotect),	   SCMP_SYS(mremap),
	SCMP_SYS(munmap),	 SCMP_SYS(newfstatat),	   SCMP_SYS(pipe2),
	SCMP_SYS(poll),		 SCMP_SYS(ppoll),	   SCMP_SYS(read),
	SCMP_SYS(recvfrom),	 SCMP_SYS(recvmsg),	   SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigaction),	 SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sendmsg),	 SCMP_SYS(sendto),	   SCMP_SYS(setsockopt),
	SCMP_SYS(shutdown),	 SCMP_SYS(splice),	   SCMP_SYS(time),
	SCMP_SYS(write),	 SCMP_SYS(writev),
};

static int filter_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = filter == NULL ? -ENOMEM : 0;

	for (size_t i = 0; r == 0 && i < NELEM(allowed_calls); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed_calls[i], 0);
	if (r == 0) /* only TCP sockets are made */
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				     SCMP_A0(SCMP_CMP_EQ, AF_INET, 0));
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				     SCMP_A0(SCMP_CMP_EQ, AF_INET6, 0));
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				     SCMP_A1(SCMP_CMP_EQ, SIOCOUTQ, 0));
	/*
	 * a library that opens a file (a time zone, for example) finds none, as in any empty
	 * root
	 */
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOENT), SCMP_SYS(openat), 0);
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOENT), SCMP_SYS(open), 0);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}
#endif

int sandbox_worker(int root, unsigned uid, unsigned gid, const char **ret_what)
{
	if (root != -1) {
		*ret_what = "chroot";
		if (fchdir(root) == -1 || chroot(".") == -1)
			return -errno;
		*ret_what = "setgid";
		if (setgroups(0, NULL) == -1 || setresgid(gid, gid, gid) == -1)
			return -errno;
		*ret_what = "setuid";
		if (setresuid(uid, uid, uid) == -1)
			return -errno;
		*ret_what = "setuid back";
		if (uid != 0 && setuid(0) != -1)
			return -EPERM;
	}
	*ret_what = "no_new_privs";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -errno;
	*ret_what = "seccomp";
	return filter_calls();
}
