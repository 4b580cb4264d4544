/*
 * What keeper and signers may ask of the kernel. Filters of one process add up: a
 * signer is forked under the keeper's filter, and then installs its own, which is the
 * same table without the rows for the keeper.
 */
#include "gateway/host/sandbox-key.h"

#include <errno.h>
#include <linux/futex.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "gateway/host/filter.h"
#include "gateway/host/sandbox.h"

/* Rows with this flag are for the keeper only. */
#define CALLS_KEEPER 1u

static const struct filter_row rows[] = {
	/* requests, answers, the log */
	{ .call = SCMP_SYS(read) },
	{ .call = SCMP_SYS(write) },
	{ .call = SCMP_SYS(exit) },
	{ .call = SCMP_SYS(exit_group) },
	/* a log that is a socket, or a pipe that blocks */
	{ .call = SCMP_SYS(sendto),
	  .args = { [0] = { FILTER_IS, STDERR_FILENO }, [4] = { FILTER_NULL, 0 } } },
	{ .call = SCMP_SYS(poll) },
	/* what libc and OpenSSL cannot do without: memory that is no code, time, randomness, locks, and
	 * whether the process has forked */
	{ .call = SCMP_SYS(brk) },
	{ .call = SCMP_SYS(munmap) },
	{ .call = SCMP_SYS(mremap) },
	{ .call = SCMP_SYS(mmap),
	  .args = { [2] = { FILTER_WITHOUT, PROT_EXEC }, [3] = { FILTER_WITH, MAP_ANONYMOUS } } },
	{ .call = SCMP_SYS(mprotect), .args = { [2] = { FILTER_WITHOUT, PROT_EXEC } } },
	{ .call = SCMP_SYS(madvise), .args = { [2] = { FILTER_IS, MADV_DONTNEED } } },
	{ .call = SCMP_SYS(clock_gettime) },
	{ .call = SCMP_SYS(gettimeofday) },
	{ .call = SCMP_SYS(time) },
	{ .call = SCMP_SYS(getrandom) },
	{ .call = SCMP_SYS(futex), .args = { [1] = { FILTER_IS, FUTEX_WAKE_PRIVATE } } },
	{ .call = SCMP_SYS(futex), .args = { [1] = { FILTER_IS, FUTEX_WAIT_PRIVATE } } },
	{ .call = SCMP_SYS(getpid) },
	{ .call = SCMP_SYS(restart_syscall) },
	{ .call = SCMP_SYS(rt_sigprocmask) },
	{ .call = SCMP_SYS(rt_sigreturn) },
	/* a library that looks for a file finds none, as in any empty root */
	{ .call = SCMP_SYS(openat), .error = ENOENT },
	{ .call = SCMP_SYS(open), .error = ENOENT },
	{ .call = SCMP_SYS(newfstatat), .error = ENOENT },
	{ .call = SCMP_SYS(fstat), .error = ENOENT },
	{ .call = SCMP_SYS(stat), .error = ENOENT },
	{ .call = SCMP_SYS(access), .error = ENOENT },
	/* the keeper forks signers, which announce themselves and install their filter, and waits */
	{ .call = SCMP_SYS(clone), .only_if = CALLS_KEEPER },
	{ .call = SCMP_SYS(clone3), .only_if = CALLS_KEEPER, .error = ENOSYS },
	{ .call = SCMP_SYS(set_robust_list), .only_if = CALLS_KEEPER },
	{ .call = SCMP_SYS(rseq), .only_if = CALLS_KEEPER },
	{ .call = SCMP_SYS(gettid), .only_if = CALLS_KEEPER },
	{ .call = SCMP_SYS(close), .only_if = CALLS_KEEPER },
	{ .call = SCMP_SYS(sendto), .only_if = CALLS_KEEPER, .args = { [4] = { FILTER_NULL, 0 } } },
	{ .call = SCMP_SYS(prctl), .only_if = CALLS_KEEPER, .args = { [0] = { FILTER_IS, PR_SET_NAME } } },
	{ .call = SCMP_SYS(prctl), .only_if = CALLS_KEEPER, .args = { [0] = { FILTER_IS, PR_SET_SECCOMP } } },
	{ .call = SCMP_SYS(prctl),
	  .only_if = CALLS_KEEPER,
	  .args = { [0] = { FILTER_IS, PR_SET_NO_NEW_PRIVS } } },
	{ .call = SCMP_SYS(seccomp), .only_if = CALLS_KEEPER },
	{ .call = SCMP_SYS(wait4), .only_if = CALLS_KEEPER },
	{ .call = SCMP_SYS(nanosleep), .only_if = CALLS_KEEPER },
	{ .call = SCMP_SYS(clock_nanosleep), .only_if = CALLS_KEEPER },
};

int sandbox_signer(void)
{
	return filter_load(rows, NELEM(rows), 0);
}

int sandbox_keeper(int root, unsigned uid, unsigned gid, const char **ret_what)
{
	int r = root == -1 ? 0 : sandbox_become(root, uid, gid, ret_what);

	if (r < 0)
		return r;
	*ret_what = "dumpable";
	r = sandbox_hide_memory();
	if (r < 0)
		return r;
	*ret_what = "no_new_privs";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -errno;
	*ret_what = "seccomp";
	return filter_load(rows, NELEM(rows), CALLS_KEEPER);
}
