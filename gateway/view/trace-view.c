/*
 * One record after the other is printed as it comes, so a trace takes no memory here, however
 * much a worker sends.
 */
#include "gateway/view/trace-view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/view/client.h"
#include "gateway/view/trace-print.h"

/* Without the folder. */
static const char *file_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

struct viewer {
	struct trace_print print;
	char policy[ANSWER_TEXT_MAX];
	bool one_session;
};

/* Returns whether to go on. */
static bool on_answer(void *context, struct answer *answer, pid_t sender)
{
	struct viewer *viewer = context;

	if (answer->kind == ANSWER_GATEWAY)
		(void)snprintf(viewer->policy, sizeof(viewer->policy), "%s",
			       file_of(answer->u.gateway.policy));
	if (answer->kind == ANSWER_LIST_END && viewer->one_session)
		return false; /* it has ended */
	if (answer->kind != ANSWER_TRACE || !trace_print_check(&answer->u.trace, sender))
		return true;
	trace_print(&viewer->print, &answer->u.trace);
	return fflush(stdout) == 0;
}

/* Each session is introduced once: before its records if it has ended, or else when somebody followed it. */
static bool is_known(const struct answers *answers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (answers->records[i].kind == TRACE_SESSION &&
		    answers->records[i].session == answers->records[n].session)
			return true;
	return false;
}

static int by_time(const void *a, const void *b)
{
	const struct answer_trace *x = a, *y = b;

	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

static int show_kept(const struct target *target, const struct ask *ask, struct viewer *viewer)
{
	struct answers answers;
	int r = client_collect_ask(target, ask, &answers);

	if (r == 0 && answers.nrecords == 0)
		r = client_fault(target, "nothing is kept of such a session");
	if (r == 0) {
		(void)snprintf(viewer->policy, sizeof(viewer->policy), "%s", file_of(answers.gateway.policy));
		qsort(answers.records, answers.nrecords, sizeof(answers.records[0]), by_time);
		for (size_t i = 0; i < answers.nrecords; i++)
			if (answers.records[i].kind != TRACE_SESSION || !is_known(&answers, i))
				trace_print(&viewer->print, &answers.records[i]);
	}
	for (size_t i = 0; r == 0 && i < answers.nworkers; i++)
		if (client_is_silent(&answers.workers[i]))
			r = client_fault(target,
					 "worker %d did not answer, so its sessions are missing above",
					 (int)answers.workers[i].worker.pid);
	client_answers_done(&answers);
	return r;
}

int trace_view(const struct target *target, const struct trace_options *options)
{
	struct viewer viewer = { .print = { .out = stdout, .json = options->json },
				 .one_session = options->filter.session != 0 };
	const struct ask ask = { .version = CTL_VERSION,
				 .what = options->last > 0 ? CTL_TRACE_LAST : CTL_TRACE,
				 .filter = options->filter,
				 .last = options->last,
				 .data = options->data };

	viewer.print.policy = viewer.policy;
	return options->last > 0 ? show_kept(target, &ask, &viewer)
				 : client_follow(target, &ask, on_answer, &viewer);
}
