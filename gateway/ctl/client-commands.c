/*
 * attlsctl's commands for a running attlsd. Each asks through client.c, prints the
 * result, and exits with failure if part of it is missing.
 */
#include "gateway/ctl/client-commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/ctl-order.h"
#include "gateway/ctl/filter-names.h"
#include "gateway/view/client-backends.h"
#include "gateway/view/client-events.h"
#include "gateway/view/client-print.h"
#include "gateway/view/client.h"
#include "gateway/view/metrics-text.h"
#include "gateway/view/metrics.h"
#include "gateway/view/session-json.h"
#include "gateway/view/session-print.h"
#include "gateway/tls/policy-check.h"

/* Time for the answer to an order. A reload waits for new workers, which load keys. */
#define ORDER_TIMEOUT_MS  15000
#define POLICY_TIMEOUT_MS 3000
#define RELOAD_TIMEOUT_MS 120000

static int status_of(int r)
{
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int complain_of_few(const struct target *target, const struct answers *answers)
{
	if (answers->own_workers == answers->gateway.workers)
		return 0;
	return client_fault(target, "some workers are missing above; try again");
}

/* One of another version never answers, and that is no failure. */
static int complain_of_older(const struct target *target, const struct answer_older *older)
{
	(void)client_fault(
	    target,
	    "attlsd %s (process %d), which an upgrade has replaced, %s, so its sessions (%" PRIu64
	    ") are missing above",
	    older->version, (int)older->pid,
	    older->asked != 0 ? "did not report its sessions" : "does not understand this attlsctl",
	    older->sessions);
	return older->asked != 0 ? -1 : 0;
}

static int complain_of_silence(const struct target *target, const struct answers *answers)
{
	int r = 0;

	for (size_t i = 0; i < answers->nworkers; i++) {
		const struct answer_worker *worker = &answers->workers[i].worker;

		if (!client_is_silent(&answers->workers[i]))
			continue;
		r = client_fault(target,
				 "worker %d %s, so some of its sessions (%" PRIu64 ") are missing above; try "
				 "again. If it hangs, kill -KILL %d ends them, and another worker starts",
				 (int)worker->pid,
				 answers->workers[i].invalid ? "sent an invalid answer"
							     : "did not report its sessions",
				 worker->sessions, (int)worker->pid);
	}
	for (size_t i = 0; i < answers->nolder; i++)
		if (client_older_is_silent(&answers->older[i]))
			r = complain_of_older(target, &answers->older[i].older) < 0 ? -1 : r;
	return r;
}

static int complain_of_events(const struct target *target, const struct answers *answers)
{
	int r = 0;

	for (size_t i = 0; i < answers->nworkers; i++)
		if (client_is_silent(&answers->workers[i]))
			r = client_fault(target, "worker %d %s, so its events are missing above; try again",
					 (int)answers->workers[i].worker.pid,
					 answers->workers[i].invalid ? "sent an invalid answer"
								     : "did not report its events");
	return r;
}

/*
 * A status without the list of servers is still useful, above all if a worker hangs.
 * So a missing list is only a warning.
 */
static int complain_of_status(const struct target *target, const struct answers *answers)
{
	for (size_t i = 0; i < answers->nworkers; i++)
		if (client_is_silent(&answers->workers[i]))
			(void)client_fault(target,
					   "worker %d %s, so the servers that it knows are missing above",
					   (int)answers->workers[i].worker.pid,
					   answers->workers[i].invalid ? "sent an invalid answer"
								       : "did not report what it remembers");
	return complain_of_few(target, answers);
}

/* complain: returns 0, or -1 after printing what is missing. */
struct view {
	enum ctl_proto_what what;
	void (*print)(const struct answers *answers, FILE *out);
	int (*dump)(const struct answers *answers, FILE *out);
	int (*complain)(const struct target *target, const struct answers *answers);
};

static int show(const struct target *target, const struct view *view, const struct session_filter *filter,
		bool json)
{
	struct answers answers;
	int r = client_collect(target, view->what, filter, &answers);

	if (r == 0 && json)
		r = view->dump(&answers, stdout);
	else if (r == 0)
		view->print(&answers, stdout);
	if (r == 0)
		r = view->complain(target, &answers);
	if (r == 0 && filter != NULL && filter->session != 0 && answers.nsessions == 0)
		r = client_fault(target, "there is no session %" PRIu64, filter->session);
	if (r == 0 && filter != NULL && answers.nsessions == 0)
		r = filter_names_check(target, filter);
	client_answers_done(&answers);
	return status_of(r);
}

int client_status(const struct target *target, bool json)
{
	static const struct view view = { CTL_SERVERS, client_print_status, client_json_status,
					  complain_of_status };

	return show(target, &view, NULL, json);
}

/* Show them again and again. If attlsd cannot be reached meanwhile, it may be starting. */
static int watch(const struct target *target, const struct view *view, const struct session_filter *filter,
		 bool json, unsigned watch_s)
{
	bool clears = isatty(STDOUT_FILENO) == 1 && !json;

	for (;;) {
		if (clears)
			(void)fputs("\033[H\033[2J", stdout);
		(void)show(target, view, filter, json);
		if (!clears)
			(void)fputc('\n', stdout);
		if (fflush(stdout) == EOF || ferror(stdout))
			return EXIT_FAILURE;
		(void)sleep(watch_s);
	}
}

int client_sessions(const struct target *target, const struct session_filter *filter, bool json,
		    unsigned watch_s)
{
	static const struct view table = { CTL_SESSIONS, client_print_sessions, client_json_sessions,
					   complain_of_silence };
	static const struct view details = { CTL_SESSIONS, client_print_details, client_json_sessions,
					     complain_of_silence };
	const struct view *view = filter->session != 0 ? &details : &table;

	return watch_s != 0 ? watch(target, view, filter, json, watch_s) : show(target, view, filter, json);
}

int client_metrics(const struct target *target, bool openmetrics)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));
	int r = metrics == NULL ? client_fault(target, "not enough memory")
				: client_read(target, CTL_METRICS, metrics_take, metrics);

	if (r == 0)
		metrics_print(metrics, openmetrics ? METRICS_OPENMETRICS : METRICS_PROMETHEUS, stdout);
	free(metrics);
	return status_of(r);
}

int client_events(const struct target *target, bool json)
{
	static const struct view view = { CTL_EVENTS, client_print_events, client_json_events,
					  complain_of_events };

	return show(target, &view, NULL, json);
}

/* The policy of the attlsd that listens, as the text of the answer. */
static int ask_policy(const struct target *target, struct answer *answer)
{
	int r = client_order(target, CTL_POLICY, NULL, POLICY_TIMEOUT_MS, answer);

	return r == 0 ? client_answers_serves(target, answer->u.text) : -1;
}

int client_give(const struct target *target, const struct ask *asked)
{
	const enum ctl_proto_what what = asked->what;
	struct ask question = *asked;
	struct answer answer;
	int r = target->policy == NULL ? 0 : ask_policy(target, &answer);

	/* an order with a value is not among those that any two versions understand */
	question.version = ctl_order_has(what) && asked->seconds == 0 && asked->refuse == 0
			       ? CTL_ORDER_VERSION
			       : CTL_VERSION;
	if (r == 0)
		r = client_order_ask(target, &question,
				     what == CTL_RELOAD || what == CTL_RELOAD_ONLY || what == CTL_UPGRADE
					 ? RELOAD_TIMEOUT_MS
					 : ORDER_TIMEOUT_MS,
				     &answer);
	if (r == 0)
		(void)printf("%s\n", answer.u.text);
	return status_of(r);
}

static int order(const struct target *target, enum ctl_proto_what what, uint64_t session)
{
	const struct ask question = { .what = what, .session = session, .filter = { .session = session } };

	return client_give(target, &question);
}

int client_backend_list(const struct target *target, const char *backend, bool json)
{
	return status_of(client_backends_show(target, backend, json));
}

int client_backend_order(const struct target *target, enum ctl_proto_what what, const char *backend,
			 const char *server)
{
	struct ask question = { .what = what };

	(void)snprintf(question.filter.backend, sizeof(question.filter.backend), "%s", backend);
	(void)snprintf(question.server, sizeof(question.server), "%s", server);
	return client_give(target, &question);
}

int client_end(const struct target *target, uint64_t session)
{
	return order(target, CTL_END, session);
}

/*
 * A worker may be under an attacker's control and claim sessions of others. The filter goes along with each
 * order, so the worker that has the session compares it once more.
 */
int client_end_all(const struct target *target, const struct session_filter *filter)
{
	struct session_filter one = *filter;
	struct answers answers;
	struct answer answer;
	int r = client_collect(target, CTL_SESSIONS, filter, &answers);

	if (r == 0 && answers.nsessions == 0) {
		r = filter_names_check(target, filter);
		if (r == 0)
			r = client_fault(target, "no session matches");
	}
	for (size_t i = 0; r >= 0 && i < answers.nsessions; i++) {
		one.session = answers.sessions[i].session;
		r = client_order(target, CTL_END, &one, ORDER_TIMEOUT_MS, &answer);
		if (r == 0)
			(void)printf("%s\n", answer.u.text);
	}
	if (answers.workers != NULL && complain_of_silence(target, &answers) < 0)
		r = -1;
	client_answers_done(&answers);
	return status_of(r < 0 ? r : 0); /* a session that has ended meanwhile is no fault */
}

int client_audit_reopen(const struct target *target)
{
	return order(target, CTL_AUDIT_REOPEN, 0);
}

/*
 * Does the policy, with the file of that node, have faults? Prints them, and the warnings of a good one. If
 * the file cannot be read here, attlsd will find them.
 */
static bool has_faults(const char *path, const char *own)
{
	struct diags diags;
	bool faults;

	if (access(path, R_OK) == -1 || (own[0] != '\0' && access(own, R_OK) == -1))
		return false;
	faults = policy_check(path, own[0] != '\0' ? own : NULL, &diags) < 0;
	diags_print(&diags, stderr);
	if (faults)
		(void)fprintf(stderr,
			      "%zu error%s; attlsd was not asked to reload, and its policy stays in force\n",
			      diags.nerrors, diags.nerrors == 1 ? "" : "s");
	diags_done(&diags);
	return faults;
}

int client_upgrade(const struct target *target)
{
	struct answer answer;

	if (ask_policy(target, &answer) < 0)
		return EXIT_NOT_ASKED;
	return order(target, CTL_UPGRADE, 0);
}

int client_reload(const struct target *target, bool no_upgrade)
{
	struct answer answer;

	if (ask_policy(target, &answer) < 0 || has_faults(answer.u.text, ctl_order_second(answer.u.text)))
		return EXIT_FAILURE;
	return order(target, no_upgrade ? CTL_RELOAD_ONLY : CTL_RELOAD, 0);
}
