/*
 * Gives up privileges for good: user, root folder and system calls of a worker.
 */
#include "gateway/host/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "gateway/host/filter.h"
#include "gateway/host/worker-calls.h"

static int removed_folder(const char *parent)
{
	char path[64];
	int fd;
	int r;

	(void)snprintf(path, sizeof(path), "%s/attlsd-root-XXXXXX", parent);
	if (mkdtemp(path) == NULL)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	/* a user who may not search it gets EACCES for any file in it, which libraries take for a fault */
	if (fd != -1 && fchmod(fd, 0711) == 0) {
		r = fd;
	} else {
		r = -errno;
		fd_close(&fd);
	}
	(void)rmdir(path); /* a folder without a name takes no new entries */
	return r;
}

/* A folder of a process that has ended stays empty, whichever process gets the number next. */
static int folder_of_the_dead(void)
{
	int ends[2] = { -1, -1 };
	char path[64];
	pid_t pid = -1;
	int r = pipe2(ends, O_CLOEXEC) == -1 ? -errno : 0;

	if (r == 0) {
		pid = fork();
		r = pid == -1 ? -errno : 0;
	}
	if (pid == 0) { /* live until the other end is closed, also by the death of this process */
		char byte;

		(void)close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	if (r == 0) {
		(void)snprintf(path, sizeof(path), "/proc/%d/ns", (int)pid);
		r = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		r = r == -1 ? -errno : r;
	}
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	while (pid > 0 && waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
	return r;
}

int sandbox_empty_root(void)
{
	/* any of them may be read-only or full, and in a container all of them */
	static const char *const parents[] = { "/tmp", "/run", "/dev/shm", "/var/tmp" };
	int r = -ENOENT;

	for (size_t i = 0; i < NELEM(parents); i++) {
		r = removed_folder(parents[i]);
		if (r >= 0)
			return r;
	}
	return folder_of_the_dead();
}

int sandbox_become(const char *groups_of, unsigned uid, unsigned gid, const char **ret_what)
{
	*ret_what = "setgid";
	if ((groups_of != NULL ? initgroups(groups_of, gid) : setgroups(0, NULL)) == -1 ||
	    setresgid(gid, gid, gid) == -1)
		return -errno;
	*ret_what = "setuid";
	if (setresuid(uid, uid, uid) == -1)
		return -errno;
	*ret_what = "setuid back";
	return uid != 0 && setuid(0) != -1 ? -EPERM : 0;
}

/* Chroot into the open, empty folder `root`, and become uid and gid for good. */
static int leave(int root, unsigned uid, unsigned gid, const char **ret_what)
{
	*ret_what = "chroot";
	if (fchdir(root) == -1 || chroot(".") == -1)
		return -errno;
	return sandbox_become(NULL, uid, gid, ret_what);
}

/*
 * Other processes of the same user may not read this one's memory, and no core file is
 * written: both would have keys. The sanitizers' run-time traces its own process.
 */
static int hide_memory(void)
{
#if !defined(__SANITIZE_ADDRESS__)
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) == -1 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return -errno;
#endif
	return 0;
}

int sandbox_confine(int root, unsigned uid, unsigned gid, const char **ret_what)
{
	int r = root == -1 ? 0 : leave(root, uid, gid, ret_what);

	if (r < 0)
		return r;
	*ret_what = "dumpable";
	r = hide_memory(); /* after the change of user, which sets it, too */
	if (r < 0)
		return r;
	*ret_what = "no_new_privs";
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ? -errno : 0;
}

int sandbox_worker(const struct sandbox_worker *setup, const char **ret_what)
{
	int r = sandbox_confine(setup->root, setup->uid, setup->gid, ret_what);

	if (r < 0)
		return r;
	*ret_what = "descriptors";
	r = filter_fill_own_fds();
	if (r < 0)
		return r;
	*ret_what = "seccomp";
	return worker_calls_filter(setup->ktls, setup->dials);
}
