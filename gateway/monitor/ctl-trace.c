/*
 * Each connection of an operator who follows a trace is open in every worker, or in that of
 * the one session. Nobody reads from it; it ends when the operator goes.
 */
#include "gateway/monitor/ctl-trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <utlist.h>

#include "gateway/base/util.h"
#include "gateway/monitor/child-pick.h"

struct ctl_trace {
	struct ctl_traces *traces;
	struct watch watch;
	struct deferred deferred;
	struct msg order;
	pid_t owner; /* the only worker that has the connection; 0: all have it */
	struct ctl_trace *next, *prev;
};

static void trace_free(struct deferred *deferred)
{
	free(CONTAINER_OF(deferred, struct ctl_trace, deferred));
}

static void trace_end(struct ctl_trace *trace)
{
	struct ctl_traces *traces = trace->traces;

	loop_unwatch(traces->loop, &trace->watch);
	fd_close(&trace->watch.fd);
	DL_DELETE(traces->list, trace);
	traces->n--;
	loop_defer_free(traces->loop, &trace->deferred);
}

static void on_trace(struct watch *watch, uint32_t ready)
{
	(void)ready; /* the peer has gone */
	trace_end(CONTAINER_OF(watch, struct ctl_trace, watch));
}

/* A line of the monitor's own. An operator who does not read misses it. */
static void tell(const struct ctl_trace *trace, const char *event, const char *key, const char *value)
{
	struct answer answer = ctl_proto_answer(ANSWER_TRACE);
	struct timespec now;
	int len;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	answer.u.trace.ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	answer.u.trace.kind = TRACE_EVENT;
	len =
	    snprintf(answer.u.trace.text, sizeof(answer.u.trace.text), "%s%c%s%c%s", event, 0, key, 0, value);
	answer.u.trace.len = (uint32_t)len + 1;
	(void)ctl_proto_send(trace->watch.fd, &answer);
}

static void pass_to(const struct ctl_trace *trace, const struct child *child)
{
	char pid[16];

	if (msg_send(child->channel.fd, &trace->order, trace->watch.fd) == 0)
		return;
	(void)snprintf(pid, sizeof(pid), "%d", (int)child->pid);
	tell(trace, "worker-not-traced", "pid", pid);
}

static bool is_for(const struct ctl_trace *trace, const struct child *child)
{
	return trace->owner == 0 || trace->owner == child->pid;
}

const char *ctl_trace_refusal(const struct admission *admission, const struct ask *ask)
{
	if (ask->filter.session == 0 || admission_owner(admission, ask->filter.session) != NULL)
		return NULL;
	return "there is no such session; what is kept of one that has ended: --last";
}

static bool has_room(const struct ctl_traces *traces, enum msg_asker who)
{
	const struct ctl_trace *trace;
	size_t others = 0;

	DL_FOREACH (traces->list, trace)
		others += trace->order.asker != ASKER_OPERATOR;
	return traces->n < CTL_TRACES_MAX && (who == ASKER_OPERATOR || others < CTL_TRACES_OTHERS_MAX);
}

const char *ctl_trace_begin(struct ctl_traces *traces, int *fd, const struct ask *ask, enum msg_asker who,
			    const struct admission *admission)
{
	const struct child *owner =
	    ask->filter.session != 0 ? admission_owner(admission, ask->filter.session) : NULL;
	struct ctl_trace *trace = has_room(traces, who) ? calloc(1, sizeof(*trace)) : NULL;
	const struct generation *generation;

	if (trace == NULL)
		return "as many operators follow traces as may do so at once";
	trace->traces = traces;
	trace->owner = owner != NULL ? owner->pid : 0;
	trace->deferred.fn = trace_free;
	trace->order =
	    (struct msg){ .type = MSG_TRACE, .active = ask->data, .asker = who, .filter = ask->filter };
	watch_init(&trace->watch, on_trace);
	trace->watch.fd = fd_take(fd);
	DL_APPEND(traces->list, trace);
	traces->n++;
	if (loop_watch(traces->loop, &trace->watch, WATCH_HANGUP) < 0) {
		trace_end(trace);
		return NULL; /* the operator sees the end */
	}
	DL_FOREACH (traces->children->head, generation)
		for (size_t i = 0; i < generation->n; i++)
			if (generation->workers[i].ready && is_for(trace, &generation->workers[i]))
				pass_to(trace, &generation->workers[i]);
	return NULL;
}

void ctl_trace_worker_ready(struct ctl_traces *traces, const struct child *child)
{
	const struct ctl_trace *trace;

	DL_FOREACH (traces->list, trace)
		if (is_for(trace, child))
			pass_to(trace, child);
}

void ctl_trace_worker_ended(struct ctl_traces *traces, pid_t pid, int status)
{
	struct ctl_trace *trace, *next;
	char text[64];

	if (WIFSIGNALED(status))
		(void)snprintf(text, sizeof(text), "%d, by signal %d (%s)", (int)pid, WTERMSIG(status),
			       strsignal(WTERMSIG(status)));
	else
		(void)snprintf(text, sizeof(text), "%d, with status %d", (int)pid, WEXITSTATUS(status));
	DL_FOREACH_SAFE(traces->list, trace, next)
	{
		tell(trace, "worker-ended", "pid", text);
		if (trace->owner == pid) {
			struct answer end = ctl_proto_answer(ANSWER_LIST_END);

			(void)ctl_proto_send(trace->watch.fd, &end); /* likewise */
			trace_end(trace);
		}
	}
}

void ctl_trace_done(struct ctl_traces *traces)
{
	while (traces->list != NULL)
		trace_end(traces->list);
}
