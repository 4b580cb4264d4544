/*
 * Starts the process of a worker: its channels and their numbers, its root folder,
 * and what it forgets of the monitor.
 */
#include "gateway/monitor/child-start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/msg.h"
#include "gateway/base/util.h"
#include "gateway/host/sandbox.h"
#include "gateway/host/worker-calls.h"
#include "gateway/worker/worker.h"

/* The descriptors that a worker gets. */
struct ends {
	int channel, reports, doorbell;
	int root; /* -1: not started as root */
};

/* Give the worker its descriptors under their numbers. */
static int place_ends(const struct ends *ends)
{
	const struct {
		int from, to;
	} places[] = { { ends->channel, WORKER_CHANNEL_FD },
		       { ends->reports, WORKER_REPORTS_FD },
		       { ends->doorbell, WORKER_DOORBELL_FD },
		       { ends->root, WORKER_ROOT_FD } };
	int spare[NELEM(places)];

	/* first out of the way, since one's place may be another's number now */
	for (size_t i = 0; i < NELEM(places); i++) {
		spare[i] =
		    places[i].from == -1 ? -1 : fcntl(places[i].from, F_DUPFD_CLOEXEC, WORKER_ROOT_FD + 1);
		if (places[i].from != -1 && spare[i] == -1)
			return -errno;
	}
	for (size_t i = 0; i < NELEM(places); i++)
		if (spare[i] != -1 && dup3(spare[i], places[i].to, O_CLOEXEC) == -1)
			return -errno;
	return 0;
}

/* In the new process: keep only the policy's memory, stderr, the channels, the doorbell and the root folder.
 */
static void become_worker(const struct child_start *start, const struct ends *ends) __attribute__((noreturn));
static void become_worker(const struct child_start *start, const struct ends *ends)
{
	struct worker_setup setup = {
		.policy = start->policy,
		.relays = start->relays,
		.channel = WORKER_CHANNEL_FD,
		.reports = WORKER_REPORTS_FD,
		.doorbell = WORKER_DOORBELL_FD,
		.first = start->first,
		.root = ends->root == -1 ? -1 : WORKER_ROOT_FD,
		.uid = start->uid,
		.gid = start->gid,
	};
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* a terminal's Ctrl-C reaches the whole group; only the monitor acts on it */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	if (place_ends(ends) < 0)
		_exit(EXIT_FAILURE);
	start->forget(start->context);
	log_reopen_after(ends->root == -1 ? WORKER_DOORBELL_FD : WORKER_ROOT_FD);
	log_setup(setup.policy->daemon.log_level, setup.policy->daemon.log_format);
	_exit(worker_run(&setup));
}

int child_start(const struct child_start *start, struct child_ends *ret)
{
	int channel[2] = { -1, -1 }, reports[2] = { -1, -1 };
	struct ends ends = { .doorbell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), .root = -1 };
	int r = ends.doorbell == -1 ? -errno : msg_channel(channel);

	if (r == 0)
		r = msg_reports(reports);
	if (r == 0 && start->root) {
		r = sandbox_empty_root();
		ends.root = r < 0 ? -1 : r;
		r = r < 0 ? r : 0;
	}
	ends.channel = channel[1];
	ends.reports = reports[1];
	if (r == 0) {
		r = fork();
		if (r == 0)
			become_worker(start, &ends);
		if (r == -1)
			r = -errno;
	}
	if (r > 0)
		*ret = (struct child_ends){ .channel = fd_take(&channel[0]),
					    .reports = fd_take(&reports[0]),
					    .doorbell = fd_take(&ends.doorbell) };
	fd_close(&ends.doorbell);
	fd_close(&ends.root);
	fd_close(&channel[0]);
	fd_close(&channel[1]);
	fd_close(&reports[0]);
	fd_close(&reports[1]);
	return r;
}
