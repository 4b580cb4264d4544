/*
 * Gives up privileges for good: capabilities in the monitor; user, root folder and
 * system calls in a worker.
 */
#include "gateway/host/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/host/filter.h"
#include "gateway/host/worker-calls.h"

int sandbox_monitor(bool net_admin)
{
	capng_clear(CAPNG_SELECT_BOTH);
	(void)capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, CAP_SETUID,
			    CAP_SETGID, CAP_SYS_CHROOT, CAP_KILL, CAP_NET_BIND_SERVICE, CAP_DAC_READ_SEARCH,
			    -1);
	if (net_admin)
		(void)capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
				   CAP_NET_ADMIN);
	/*
	 * The bounding set goes first, since CAP_SETPCAP goes with the rest. Without
	 * CAP_SETPCAP it stays as it is, and no_new_privs alone keeps a program that the
	 * monitor would execute from having more.
	 */
	(void)capng_apply(CAPNG_SELECT_BOUNDS);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -EPERM;
	return 0;
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

int sandbox_become(int root, unsigned uid, unsigned gid, const char **ret_what)
{
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
	return uid != 0 && setuid(0) != -1 ? -EPERM : 0;
}

/* The sanitizers' run-time traces its own process. */
int sandbox_hide_memory(void)
{
#if !defined(__SANITIZE_ADDRESS__)
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) == -1 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return -errno;
#endif
	return 0;
}

int sandbox_worker(const struct sandbox_worker *setup, const char **ret_what)
{
	int r = 0;

	if (setup->root != -1)
		r = sandbox_become(setup->root, setup->uid, setup->gid, ret_what);
	if (r < 0)
		return r;
	*ret_what = "dumpable";
	r = sandbox_hide_memory(); /* after the change of user, which sets it, too */
	if (r < 0)
		return r;
	*ret_what = "descriptors";
	r = filter_fill_own_fds();
	if (r < 0)
		return r;
	*ret_what = "no_new_privs";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -errno;
	*ret_what = "seccomp";
	return worker_calls_filter(setup->ktls, setup->dials);
}
