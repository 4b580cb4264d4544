/*
 * `systemctl restart`: the monitor forks, and the new process takes over all that drains.
 * It is not the parent of the workers, so it watches them through pidfds. The old one keeps
 * only its process id, which the service manager knows.
 */
#include "gateway/monitor/successor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utlist.h>

#include "gateway/base/audit.h"
#include "gateway/base/shared.h"
#include "gateway/base/ticket-seeds.h"
#include "gateway/base/util.h"

/* A worker or a keeper, which its own parent reaps. */
struct orphan {
	struct watch watch; /* its fd is a pidfd */
	struct children *children;
	pid_t pid;
	struct deferred deferred;
};

static void orphan_free(struct deferred *deferred)
{
	free(CONTAINER_OF(deferred, struct orphan, deferred));
}

static void on_end(struct watch *watch, uint32_t ready)
{
	struct orphan *orphan = CONTAINER_OF(watch, struct orphan, watch);
	struct children *children = orphan->children;

	(void)ready;
	loop_unwatch(children->loop, watch);
	fd_close(&watch->fd);
	loop_defer_free(children->loop, &orphan->deferred);
	/* only a parent learns how it ended */
	children_ended(children, orphan->pid, EXIT_SUCCESS);
}

static int adopt(struct children *children, pid_t pid)
{
	struct orphan *orphan = pid == 0 ? NULL : calloc(1, sizeof(*orphan));

	if (orphan == NULL)
		return pid == 0 ? 0 : -ENOMEM;
	*orphan = (struct orphan){ .children = children, .pid = pid, .deferred.fn = orphan_free };
	watch_init(&orphan->watch, on_end);
	/* fails if it has ended before, and then nobody can tell that it did not end in order */
	orphan->watch.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (orphan->watch.fd != -1 && loop_watch(children->loop, &orphan->watch, EPOLLIN) == 0)
		return 0;
	fd_close(&orphan->watch.fd);
	free(orphan);
	return -ECHILD;
}

static int adopt_all(struct children *children)
{
	struct generation *generation;
	int r = 0;

	DL_FOREACH (children->head, generation) {
		for (size_t i = 0; r == 0 && i < generation->n; i++)
			r = adopt(children, generation->workers[i].pid);
		if (r == 0)
			r = adopt(children, generation->keeper.pid);
	}
	return r;
}

/* What other children do not see: the counts that workers and keepers share, and seeds. */
static void lend_all(struct children *children, bool lend)
{
	struct generation *generation;

	/* without them, the new process would end at its first look, and the sessions with it */
	(void)ticket_seeds_lend(children->tickets, lend);
	DL_FOREACH (children->head, generation) {
		for (size_t i = 0; i < generation->n; i++) {
			(void)counted_lend(&generation->workers[i].counted, lend);
			(void)shared_lend((void *)(uintptr_t)generation->workers[i].relays,
					  sizeof(*generation->workers[i].relays), lend);
		}
		if (generation->keeper.counts != NULL)
			(void)shared_lend(generation->keeper.counts,
					  generation->keeper.n * sizeof(*generation->keeper.counts), lend);
	}
}

/* The old process. Its signals are blocked, so none is missed. */
static void wait_for_the_end(pid_t successor) __attribute__((noreturn));
static void wait_for_the_end(pid_t successor)
{
	sigset_t wanted;
	int number = SIGCHLD;

	audit_event("process-stop", AUDIT_NUMBER("status", EXIT_SUCCESS)); /* the rest is the successor's */
	(void)close_range(STDERR_FILENO, ~0u, 0); /* no port, and no worker, may wait for this process */
	(void)sigemptyset(&wanted);
	(void)sigaddset(&wanted, SIGTERM);
	(void)sigaddset(&wanted, SIGINT);
	(void)sigaddset(&wanted, SIGCHLD);
	while (number == SIGCHLD && waitpid(successor, NULL, WNOHANG) == 0)
		(void)sigwait(&wanted, &number);
	_exit(EXIT_SUCCESS);
}

int successor_fork(struct children *children)
{
	pid_t pid;
	int r;

	lend_all(children, true);
	pid = fork();
	if (pid > 0)
		wait_for_the_end(pid);
	r = pid == -1 ? -errno : 0;
	lend_all(children, false);
	if (r == 0 && adopt_all(children) < 0)
		children_kill(children); /* their sessions end, but nothing waits for ever */
	return r;
}
