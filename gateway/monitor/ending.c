/*
 * The end of attlsd. The first signal drains; the second is an order to the workers
 * to end all sessions, since only they can reset transfers and tell clients. SIGKILL
 * is for a worker that does not obey: the kernel then resets its data connections.
 */
#include "gateway/monitor/ending.h"

#include <string.h>
#include <sys/wait.h>

#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/base/util.h"

/* Workers get this time to tell clients and reset transfers. */
#define STOP_MS 1000

static void on_timer(struct timer *timer)
{
	ending_kill(CONTAINER_OF(timer, struct ending, timer));
}

void ending_init(struct ending *ending, struct loop *loop, struct children *children)
{
	*ending = (struct ending){ .loop = loop, .children = children };
	timer_init(&ending->timer, on_timer);
}

static void retire_all(struct ending *ending, enum msg_type how)
{
	struct generation *generation, *next;

	for (generation = ending->children->head; generation != NULL; generation = next) {
		next = generation->next;
		generation_retire(generation, how);
	}
}

void ending_retire(struct ending *ending)
{
	retire_all(ending, MSG_RETIRE);
}

void ending_drain(struct ending *ending)
{
	retire_all(ending, MSG_DRAIN);
}

void ending_now(struct ending *ending)
{
	if (ending->now || loop_timer(ending->loop, &ending->timer, STOP_MS) < 0) {
		ending_kill(ending);
		return;
	}
	ending->now = true;
	retire_all(ending, MSG_STOP);
}

void ending_kill(struct ending *ending)
{
	children_kill(ending->children);
	loop_stop(ending->loop);
}

void ending_log_death(pid_t pid, int status, size_t lost)
{
	count(WORKER_DEATHS, WIFSIGNALED(status) ? COUNT_DEATH_SIGNAL : COUNT_DEATH_EXIT, 1);
	log_event(LOG_LEVEL_ERROR, "worker-died", LOG_NUMBER("pid", pid),
		  LOG_TEXT(WIFSIGNALED(status) ? "signal" : "exit",
			   WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "unexpected"),
		  LOG_NUMBER("sessions-lost", lost));
}
