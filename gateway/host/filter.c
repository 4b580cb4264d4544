/*
 * Makes a seccomp filter of a table of calls and tests of their arguments, together
 * with the calls that libraries need in every process. The
 * kernel cuts an int argument to 32 bits before it looks at it, but shows the filter
 * all 64, so tests of ints leave the upper half alone.
 */
#include "gateway/host/filter.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <seccomp.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/base/util.h"

int filter_fill_own_fds(void)
{
	int fd;

	(void)close(STDIN_FILENO);
	(void)close(STDOUT_FILENO);
	do { /* an eventfd, since a worker may have no file system */
		fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (fd == -1)
			return -errno;
	} while (fd < FILTER_OWN_FDS);
	fd_close(&fd);
	return 0;
}

#if defined(__SANITIZE_ADDRESS__)
/* The sanitizers' run-time opens files, maps memory and starts threads: no filter in such builds. */
int filter_load(const struct filter_row *rows, size_t nrows, unsigned flags)
{
	(void)rows;
	(void)nrows;
	(void)flags;
	return 0;
}
#else

#define INT_MASK UINT32_MAX

/*
 * What libc and OpenSSL cannot do without, in each filter. Bytes to and from open
 * descriptors belong here, since a process without them has no use.
 */
static const struct filter_row library_calls[] = {
	{ .call = SCMP_SYS(read) },
	{ .call = SCMP_SYS(write) },
	{ .call = SCMP_SYS(poll) },
	/* memory: never of a file, never as code */
	{ .call = SCMP_SYS(brk) },
	{ .call = SCMP_SYS(munmap) },
	{ .call = SCMP_SYS(mremap) },
	{ .call = SCMP_SYS(mmap),
	  .args = { [2] = { FILTER_WITHOUT, PROT_EXEC }, [3] = { FILTER_WITH, MAP_ANONYMOUS } } },
	{ .call = SCMP_SYS(mprotect), .args = { [2] = { FILTER_WITHOUT, PROT_EXEC } } },
	{ .call = SCMP_SYS(madvise), .args = { [2] = { FILTER_IS, MADV_DONTNEED } } },
	{ .call = SCMP_SYS(getrandom) },
	/* locks of libraries, which no other thread holds */
	{ .call = SCMP_SYS(futex), .args = { [1] = { FILTER_IS, FUTEX_WAKE_PRIVATE } } },
	{ .call = SCMP_SYS(futex), .args = { [1] = { FILTER_IS, FUTEX_WAIT_PRIVATE } } },
	/* time */
	{ .call = SCMP_SYS(clock_gettime) },
	{ .call = SCMP_SYS(gettimeofday) },
	{ .call = SCMP_SYS(time) },
	/* the process itself: OpenSSL looks whether it has forked */
	{ .call = SCMP_SYS(getpid) },
	{ .call = SCMP_SYS(restart_syscall) },
	{ .call = SCMP_SYS(rt_sigprocmask) },
	{ .call = SCMP_SYS(rt_sigreturn) },
	{ .call = SCMP_SYS(exit) },
	{ .call = SCMP_SYS(exit_group) },
	/* a library that looks for a file (a time zone, for example) finds none, as in any empty root */
	{ .call = SCMP_SYS(openat), .error = ENOENT },
	{ .call = SCMP_SYS(open), .error = ENOENT },
	{ .call = SCMP_SYS(newfstatat), .error = ENOENT },
	{ .call = SCMP_SYS(fstat), .error = ENOENT },
	{ .call = SCMP_SYS(stat), .error = ENOENT },
	{ .call = SCMP_SYS(statx), .error = ENOENT },
	{ .call = SCMP_SYS(access), .error = ENOENT },
	{ .call = SCMP_SYS(faccessat), .error = ENOENT },
	{ .call = SCMP_SYS(readlink), .error = ENOENT },
	{ .call = SCMP_SYS(readlinkat), .error = ENOENT },
};

/* Returns how many comparisons the row needs; a test for another descriptor is not among them. */
static unsigned comparisons_of(const struct filter_row *row, struct scmp_arg_cmp ret[static FILTER_ARGS_MAX],
			       int *ret_fd_arg)
{
	unsigned n = 0;

	*ret_fd_arg = -1;
	for (unsigned i = 0; i < FILTER_ARGS_MAX; i++) {
		uint64_t value = row->args[i].value;

		switch (row->args[i].test) {
		case FILTER_ANY:
			break;
		case FILTER_IS:
			ret[n++] = SCMP_CMP64(i, SCMP_CMP_MASKED_EQ, INT_MASK, value & INT_MASK);
			break;
		case FILTER_WITH:
			ret[n++] = SCMP_CMP64(i, SCMP_CMP_MASKED_EQ, value, value);
			break;
		case FILTER_WITHOUT:
			ret[n++] = SCMP_CMP64(i, SCMP_CMP_MASKED_EQ, value, 0);
			break;
		case FILTER_NULL:
			ret[n++] = SCMP_CMP64(i, SCMP_CMP_EQ, 0, 0);
			break;
		case FILTER_OTHER_FD:
			*ret_fd_arg = (int)i;
			break;
		}
	}
	return n;
}

static int add(scmp_filter_ctx filter, const struct filter_row *row, const struct scmp_arg_cmp *args,
	       unsigned nargs)
{
	uint32_t action = row->error == 0 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO((unsigned)row->error);

	return seccomp_rule_add_array(filter, action, row->call, nargs, args);
}

/*
 * A number is FILTER_OWN_FDS or more if any bit from that of FILTER_OWN_FDS on is
 * set: a rule for each. "Greater than" would compare 64 bits, which the kernel cuts.
 */
static int add_for_other_fds(scmp_filter_ctx filter, const struct filter_row *row, struct scmp_arg_cmp *args,
			     unsigned nargs, unsigned fd_arg)
{
	int r = 0;

	_Static_assert((FILTER_OWN_FDS & (FILTER_OWN_FDS - 1)) == 0, "a power of two");
	for (uint64_t bit = FILTER_OWN_FDS; r == 0 && bit <= INT_MAX; bit <<= 1) {
		args[nargs] = SCMP_CMP64(fd_arg, SCMP_CMP_MASKED_EQ, bit, bit);
		r = add(filter, row, args, nargs + 1);
	}
	return r;
}

static int add_row(scmp_filter_ctx filter, const struct filter_row *row)
{
	struct scmp_arg_cmp args[FILTER_ARGS_MAX];
	int fd_arg;
	unsigned nargs = comparisons_of(row, args, &fd_arg);

	if (fd_arg != -1)
		return add_for_other_fds(filter, row, args, nargs, (unsigned)fd_arg);
	return add(filter, row, args, nargs);
}

static int add_rows(scmp_filter_ctx filter, const struct filter_row *rows, size_t nrows, unsigned flags)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < nrows; i++)
		if (rows[i].only_if == 0 || (rows[i].only_if & flags) != 0)
			r = add_row(filter, &rows[i]);
	return r;
}

int filter_load(const struct filter_row *rows, size_t nrows, unsigned flags)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = filter == NULL ? -ENOMEM : 0;

	if (r == 0) /* calls of another architecture of the same machine, as with int 0x80 */
		r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (r == 0) /* a binary tree: the table is long */
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = add_rows(filter, library_calls, NELEM(library_calls), flags);
	if (r == 0)
		r = add_rows(filter, rows, nrows, flags);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}
#endif
