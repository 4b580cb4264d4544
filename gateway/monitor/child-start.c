/*
 * Starts the process of a worker: its channels and their numbers, its root folder,
 * and what it forgets of the monitor.
 */
#include "gateway/monitor/child-start.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "gateway/base/descriptors.h"
#include "gateway/base/log.h"
#include "gateway/base/msg.h"
#include "gateway/base/shared.h"
#include "gateway/base/util.h"
#include "gateway/host/audit-open.h"
#include "gateway/host/sandbox.h"
#include "gateway/host/worker-calls.h"
#include "gateway/worker/worker.h"

/* What a worker gets, in the order of their numbers. */
enum { CHANNEL = 0, REPORTS, DOORBELL, KEY, ROOT, AUDIT, XFERLOG, GSSAPI, ENDS };
_Static_assert(DESCRIPTORS_FIRST + CHANNEL == WORKER_CHANNEL_FD &&
		   DESCRIPTORS_FIRST + GSSAPI == WORKER_GSSAPI_FD,
	       "the filter's numbers");

/* In the new process: keep only the policy's memory, stderr, and these descriptors. */
static void become_worker(const struct child_start *start, const int ends[static ENDS])
    __attribute__((noreturn));
static void become_worker(const struct child_start *start, const int ends[static ENDS])
{
	struct worker_setup setup = {
		.policy = start->policy,
		.relays = start->relays,
		.counters = start->counted->live,
		.tickets = start->tickets,
		.sets = start->sets,
		.user_key = start->user_key,
		.channel = WORKER_CHANNEL_FD,
		.reports = WORKER_REPORTS_FD,
		.doorbell = WORKER_DOORBELL_FD,
		.key = ends[KEY] == -1 ? -1 : WORKER_KEY_FD,
		.gssapi = ends[GSSAPI] == -1 ? -1 : WORKER_GSSAPI_FD,
		.first = start->first,
		.root = ends[ROOT] == -1 ? -1 : WORKER_ROOT_FD,
		.audit = { ends[AUDIT] == ends[DOORBELL] ? -1 : WORKER_AUDIT_FD,
			   ends[XFERLOG] == ends[DOORBELL] ? -1 : WORKER_XFERLOG_FD },
		.generation = start->generation,
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
	if (descriptors_keep(ends, ENDS) < 0)
		_exit(EXIT_FAILURE);
	log_follow(&setup.policy->daemon);
	_exit(worker_run(&setup));
}

/* What this worker counts is shared with it only, the seeds of tickets with workers only. */
static int fork_worker(const struct child_start *start, const int ends[static ENDS])
{
	void *relays = (void *)(uintptr_t)start->relays;
	int r = shared_lend(relays, sizeof(*start->relays), true);

	if (r == 0)
		r = counted_lend(start->counted, true);
	if (r == 0)
		r = ticket_seeds_lend(start->tickets, true);
	if (r == 0)
		r = ticket_sets_lend(start->sets, true);
	if (r < 0)
		return r;
	r = fork();
	if (r == 0)
		become_worker(start, ends);
	if (r == -1)
		r = -errno;
	(void)shared_lend(relays, sizeof(*start->relays), false); /* the opposite call has succeeded */
	(void)counted_lend(start->counted, false);
	(void)ticket_seeds_lend(start->tickets, false);
	(void)ticket_sets_lend(start->sets, false);
	return r;
}

int child_start(const struct child_start *start, struct child_ends *ret, const char **ret_step)
{
	int channel[2] = { -1, -1 }, reports[2] = { -1, -1 };
	int doorbell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), root = -1;
	/* if one cannot be opened now, the worker keeps its events until it gets another */
	int audit = audit_open(&start->policy->daemon, NULL),
	    xferlog = audit_open_xferlog(&start->policy->daemon, NULL);
	int r = doorbell == -1 ? -errno : msg_channel(channel);

	*ret_step = "make its channels";
	if (r == 0)
		r = msg_reports(reports);
	if (r == 0 && start->root) {
		*ret_step = "find an empty root folder";
		r = sandbox_empty_root();
		root = r < 0 ? -1 : r;
		r = r < 0 ? r : 0;
	}
	if (r == 0) {
		/* without a file of its own, nothing else of the worker's may get such a number */
		const int ends[ENDS] = { channel[1],
					 reports[1],
					 doorbell,
					 start->key,
					 root,
					 audit < 0 ? doorbell : audit,
					 xferlog < 0 ? doorbell : xferlog,
					 start->gssapi };

		*ret_step = "fork";
		r = fork_worker(start, ends);
	}
	if (r > 0)
		*ret = (struct child_ends){ .channel = fd_take(&channel[0]),
					    .reports = fd_take(&reports[0]),
					    .doorbell = fd_take(&doorbell) };
	fd_close(&doorbell);
	fd_close(&root);
	if (audit >= 0)
		fd_close(&audit);
	if (xferlog >= 0)
		fd_close(&xferlog);
	fd_close(&channel[0]);
	fd_close(&channel[1]);
	fd_close(&reports[0]);
	fd_close(&reports[1]);
	return r;
}

size_t child_start_wanted(const struct policy *policy)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (policy->daemon.workers != 0)
		return policy->daemon.workers;
	return cpus > 0 ? (size_t)cpus : 1;
}
