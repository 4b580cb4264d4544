/*
 * The operators who follow a trace. The monitor keeps their connections, so that workers
 * that start later get them as well, and tells them of workers that end. The records come
 * from the workers.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_CTL_TRACE_H
#define ATTLSD_GATEWAY_MONITOR_CTL_TRACE_H

#include <stddef.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/base/loop.h"
#include "gateway/monitor/admission.h"
#include "gateway/monitor/children.h"

struct ctl_traces {
	struct loop *loop;
	struct children *children;
	struct ctl_trace *list;
	size_t n;
};

/* Why there is nothing to follow; NULL: there is. Static. */
const char *ctl_trace_refusal(const struct admission *admission, const struct ask *ask);

/*
 * Begin: takes *fd over, and passes it to all workers; if the operator asks for one session, only to
 * the worker that has it, so that no other can speak of it. Returns NULL, or why not (then *fd is still
 * the caller's).
 */
const char *ctl_trace_begin(struct ctl_traces *traces, int *fd, const struct ask *ask, enum msg_asker who,
			    const struct admission *admission);

/* A worker is ready. */
void ctl_trace_worker_ready(struct ctl_traces *traces, const struct child *child);

/* A worker has ended, with all its sessions, and so have traces of one of them; status: of waitpid(2). */
void ctl_trace_worker_ended(struct ctl_traces *traces, pid_t pid, int status);

void ctl_trace_done(struct ctl_traces *traces);

#endif
