/*
 * What keeper and signers may ask of the kernel, besides what libraries need
 * (filter.c), which includes the reading and writing of packets. Filters of one
 * process add up: a signer is forked under the keeper's filter, and then installs its
 * own, which is the same table without the rows for the keeper.
 */
#include "gateway/host/sandbox-key.h"

#include <errno.h>
#include <pwd.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "gateway/host/filter.h"
#include "gateway/host/sandbox.h"

/* Rows with this flag are for the keeper only. */
#define CALLS_KEEPER 1u

static const struct filter_row rows[] = {
	/* a log that is a socket, or a pipe that blocks */
	{ .call = SCMP_SYS(sendto),
	  .args = { [0] = { FILTER_IS, STDERR_FILENO }, [4] = { FILTER_NULL, 0 } } },
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

int sandbox_token(int root, unsigned uid, unsigned gid, const char **ret_what)
{
	/* a user of its own has a name, and perhaps groups; an unused id has neither */
	const struct passwd *user = root == -1 ? NULL : getpwuid(uid);
	int r = root == -1 ? 0 : sandbox_become(user != NULL ? user->pw_name : NULL, uid, gid, ret_what);

	return r < 0 ? r : sandbox_confine(-1, uid, gid, ret_what);
}

int sandbox_keeper(int root, unsigned uid, unsigned gid, const char **ret_what)
{
	int r = sandbox_confine(root, uid, gid, ret_what);

	if (r < 0)
		return r;
	*ret_what = "seccomp";
	return filter_load(rows, NELEM(rows), CALLS_KEEPER);
}
