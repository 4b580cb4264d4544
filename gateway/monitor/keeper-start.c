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
#include "gateway/host/sandbox.h"
#include "gateway/keeper/keeper.h"
#include "gateway/key/link.h"

/* How long the end of attlsd waits for a keeper that does not end. */
#define END_LOOKS   100
#define END_LOOK_MS 10

/* fds: the signers' ends, then the root folder or -1. */
static void become_keeper(struct keeper_setup *setup, int *fds, size_t n) __attribute__((noreturn));
static void become_keeper(struct keeper_setup *setup, int *fds, size_t n)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	if (descriptors_keep(fds, n + 1) < 0)
		_exit(EXIT_FAILURE);
	setup->root = fds[n] == -1 ? -1 : DESCRIPTORS_FIRST + (int)n;
	for (size_t i = 0; i < n; i++)
		fds[i] = DESCRIPTORS_FIRST + (int)i;
	setup->fds = fds;
	setup->n = n;
	log_follow(&setup->policy->daemon);
	_exit(keeper_run(setup));
}

static pid_t fork_keeper(const struct keeper_link *keeper, struct keeper_setup *setup, int *fds)
{
	size_t size = keeper->n * sizeof(*keeper->counts);
	int r = shared_lend(keeper->counts, size, true);
	pid_t pid = r < 0 ? r : fork();

	if (pid == 0)
		become_keeper(setup, fds, keeper->n);
	if (pid == -1)
		pid = -errno;
	(void)shared_lend(keeper->counts, size, false); /* the opposite call has succeeded */
	return pid;
}

static int make_sockets(struct keeper_link *keeper, int *signers)
{
	for (size_t i = 0; i < keeper->n; i++) {
		int pair[2];
		int r = key_link_pair(pair);

		if (r < 0)
			return r;
		keeper->fds[i] = pair[0];
		signers[i] = pair[1];
	}
	return 0;
}

int keeper_start(struct keeper_link *keeper, const struct policy *policy, size_t n,
		 const struct keeper_user *user, bool root)
{
	int *signers = malloc((n + 1) * sizeof(*signers));
	struct keeper_setup setup = {
		.policy = policy,
		.uid = user->uid,
		.gid = user->gid,
		.worker_uid = user->worker_uid,
		.worker_gid = user->worker_gid,
	};
	pid_t pid = 0;

	*keeper = (struct keeper_link){ .n = n, .fds = malloc(n * sizeof(*keeper->fds)) };
	setup.counts = keeper->counts = shared_map(n * sizeof(*keeper->counts));
	if (signers == NULL || keeper->fds == NULL || keeper->counts == NULL) {
		free(signers);
		free(keeper->fds);
		shared_unmap(keeper->counts, n * sizeof(*keeper->counts));
		*keeper = (struct keeper_link){ .n = 0 };
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		keeper->fds[i] = signers[i] = -1;
	signers[n] = root ? sandbox_empty_root() : -1;
	if (root && signers[n] < 0)
		pid = signers[n];
	if (pid == 0)
		pid = make_sockets(keeper, signers);
	if (pid == 0)
		pid = fork_keeper(keeper, &setup, signers);
	if (pid > 0)
		keeper->pid = pid;
	for (size_t i = 0; i <= n; i++)
		if (signers[i] >= 0)
			fd_close(&signers[i]);
	free(signers);
	if (pid < 0)
		keeper_end(keeper);
	return pid < 0 ? pid : 0;
}

int keeper_fd(const struct keeper_link *keeper, size_t i)
{
	return keeper->fds != NULL && i < keeper->n ? keeper->fds[i] : -1;
}

const struct key_counts *keeper_counts(const struct keeper_link *keeper, size_t i)
{
	return keeper->counts == NULL || i >= keeper->n ? NULL : &keeper->counts[i];
}

void keeper_hang_up(struct keeper_link *keeper)
{
	for (size_t i = 0; keeper->fds != NULL && i < keeper->n; i++)
		fd_close(&keeper->fds[i]);
	free(keeper->fds);
	keeper->fds = NULL;
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
