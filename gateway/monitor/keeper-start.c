/*
 * Forks the keeper of a generation, before its workers, and holds the sockets that
 * connect each worker with its signer.
 */
#include "gateway/monitor/keeper-start.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/descriptors.h"
#include "gateway/base/log.h"
#include "gateway/base/shared.h"
#include "gateway/base/util.h"
#include "gateway/gssapi/link.h"
#include "gateway/host/sandbox.h"
#include "gateway/keeper/keeper.h"
#include "gateway/key/link.h"

/* How long the end of attlsd waits for a keeper that does not end. */
#define END_LOOKS   100
#define END_LOOK_MS 10

/* fds: the signers' ends, those of the acceptors if there are any, then the root folder or -1. */
static void become_keeper(struct keeper_setup *setup, int *fds, size_t n, size_t nfds)
    __attribute__((noreturn));
static void become_keeper(struct keeper_setup *setup, int *fds, size_t n, size_t nfds)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	if (descriptors_keep(fds, nfds + 1) < 0)
		_exit(EXIT_FAILURE);
	setup->root = fds[nfds] == -1 ? -1 : DESCRIPTORS_FIRST + (int)nfds;
	for (size_t i = 0; i < nfds; i++)
		fds[i] = DESCRIPTORS_FIRST + (int)i;
	setup->fds = fds;
	setup->gssapi = nfds > n ? fds + n : NULL;
	setup->n = n;
	log_follow(&setup->policy->daemon);
	_exit(keeper_run(setup));
}

static pid_t fork_keeper(const struct keeper_link *keeper, struct keeper_setup *setup, int *fds, size_t nfds)
{
	size_t size = keeper->n * sizeof(*keeper->counts);
	int r = shared_lend(keeper->counts, size, true);
	pid_t pid = r < 0 ? r : fork();

	if (pid == 0)
		become_keeper(setup, fds, keeper->n, nfds);
	if (pid == -1)
		pid = -errno;
	(void)shared_lend(keeper->counts, size, false); /* the opposite call has succeeded */
	return pid;
}

/* The ends of workers, and the others. */
static int make_sockets(int *ours, int *theirs, size_t n, int (*make)(int fds[static 2]))
{
	for (size_t i = 0; i < n; i++) {
		int pair[2];
		int r = make(pair);

		if (r < 0)
			return r;
		ours[i] = pair[0];
		theirs[i] = pair[1];
	}
	return 0;
}

/* Room for the workers' ends; all are closed. */
static int *make_ends(size_t n)
{
	int *fds = malloc(n * sizeof(*fds));

	for (size_t i = 0; fds != NULL && i < n; i++)
		fds[i] = -1;
	return fds;
}

int keeper_start(struct keeper_link *keeper, const struct policy *policy, size_t n,
		 const struct keeper_user *user, bool root)
{
	bool gssapi = policy_offers_gssapi(policy);
	size_t nfds = gssapi ? 2 * n : n;
	int *fds = make_ends(nfds + 1);
	struct keeper_setup setup = {
		.policy = policy,
		.uid = user->uid,
		.gid = user->gid,
		.worker_uid = user->worker_uid,
		.worker_gid = user->worker_gid,
	};
	pid_t pid = 0;

	*keeper = (struct keeper_link){ .n = n, .fds = make_ends(n), .gssapi = gssapi ? make_ends(n) : NULL };
	setup.counts = keeper->counts = shared_map(n * sizeof(*keeper->counts));
	if (fds == NULL || keeper->fds == NULL || keeper->counts == NULL ||
	    (gssapi && keeper->gssapi == NULL)) {
		free(fds);
		free(keeper->fds);
		free(keeper->gssapi);
		shared_unmap(keeper->counts, n * sizeof(*keeper->counts));
		*keeper = (struct keeper_link){ .n = 0 };
		return -ENOMEM;
	}
	fds[nfds] = root ? sandbox_empty_root() : -1;
	if (root && fds[nfds] < 0)
		pid = fds[nfds];
	if (pid == 0)
		pid = make_sockets(keeper->fds, fds, n, key_link_pair);
	if (pid == 0 && gssapi)
		pid = make_sockets(keeper->gssapi, fds + n, n, gssapi_link_pair);
	if (pid == 0)
		pid = fork_keeper(keeper, &setup, fds, nfds);
	if (pid > 0)
		keeper->pid = pid;
	for (size_t i = 0; i <= nfds; i++)
		if (fds[i] >= 0)
			fd_close(&fds[i]);
	free(fds);
	if (pid < 0)
		keeper_end(keeper);
	return pid < 0 ? pid : 0;
}

int keeper_fd(const struct keeper_link *keeper, size_t i)
{
	return keeper->fds != NULL && i < keeper->n ? keeper->fds[i] : -1;
}

int keeper_gssapi_fd(const struct keeper_link *keeper, size_t i)
{
	return keeper->gssapi != NULL && i < keeper->n ? keeper->gssapi[i] : -1;
}

const struct key_counts *keeper_counts(const struct keeper_link *keeper, size_t i)
{
	return keeper->counts == NULL || i >= keeper->n ? NULL : &keeper->counts[i];
}

void keeper_hang_up(struct keeper_link *keeper)
{
	for (size_t i = 0; keeper->fds != NULL && i < keeper->n; i++)
		fd_close(&keeper->fds[i]);
	for (size_t i = 0; keeper->gssapi != NULL && i < keeper->n; i++)
		fd_close(&keeper->gssapi[i]);
	free(keeper->fds);
	free(keeper->gssapi);
	keeper->fds = keeper->gssapi = NULL;
}

bool keeper_is_hung_up(const struct keeper_link *keeper)
{
	return keeper->fds == NULL;
}

void keeper_end(struct keeper_link *keeper)
{
	keeper_hang_up(keeper);
	for (int i = 0; keeper->pid != 0 && i < END_LOOKS; i++) {
		const struct timespec pause = { .tv_nsec = END_LOOK_MS * 1000000L };

		if (waitpid(keeper->pid, NULL, WNOHANG) != 0)
			keeper->pid = 0;
		else
			(void)nanosleep(&pause, NULL); /* a signal only makes it shorter */
	}
	shared_unmap(keeper->counts, keeper->n * sizeof(*keeper->counts));
	*keeper = (struct keeper_link){ .n = 0 };
}
