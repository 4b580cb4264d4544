/*
 * Gathers the answers of the monitor and its workers. A worker may be under an
 * attacker's control, so each answer is checked against the monitor's answers and
 * against its sender before it gets memory or reaches the terminal.
 */
#include "gateway/view/client-answers.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>

#include "gateway/base/ctl-question.h"
#include "gateway/view/trace-print.h"
#include "policy/policy.h"

/* No host runs more workers. */
#define WORKERS_MAX 65536
/* New sessions that may begin while they are counted. */
#define SESSIONS_MORE 10000
/* Sessions of which a worker may have records. */
#define RECORDS_MORE 10000
/* More servers than any policy has. */
#define BACKENDS_MAX 100000
/* Arrays start with this size and double. */
#define LIST_INITIAL 16

/* Do two paths name the same file? If stat() fails, the paths must be equal. */
static bool same_file(const char *a, const char *b)
{
	struct stat of_a, of_b;

	if (stat(a, &of_a) == 0 && stat(b, &of_b) == 0)
		return of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
	return strcmp(a, b) == 0;
}

int client_answers_serves(const struct target *target, const char *policy)
{
	bool cut_off = strlen(policy) == ANSWER_TEXT_MAX - 1;

	if (target->policy == NULL || cut_off || same_file(target->policy, policy))
		return 0;
	return client_fault(target,
			    "the attlsd that listens there serves %s, not %s; give each attlsd its own "
			    "control_socket, or name the socket with --socket",
			    policy, target->policy);
}

/* The monitor's first answer. */
static int take_gateway(const struct target *target, struct answers *answers, const struct answer *answer)
{
	const struct answer_gateway *gateway = &answer->u.gateway;

	if (answer->kind == ANSWER_REFUSED)
		return client_fault(target, "%s", answer->u.text);
	if (answer->kind != ANSWER_GATEWAY || gateway->workers > WORKERS_MAX || gateway->pid == 0 ||
	    gateway->older > ANSWER_OLDER_MAX)
		return client_fault(target, CTL_OTHER_VERSION);
	if (client_answers_serves(target, gateway->policy) < 0)
		return -1;
	answers->gateway = *gateway;
	answers->workers = calloc(gateway->workers + 1, sizeof(*answers->workers));
	return answers->workers == NULL ? client_fault(target, "not enough memory") : 0;
}

static struct worker_heard *find_worker(const struct answers *answers, pid_t pid)
{
	for (size_t i = 0; i < answers->nworkers; i++)
		if (answers->workers[i].worker.pid == pid)
			return &answers->workers[i];
	return NULL;
}

/* Make room for one more. Returns 0, or -1 after printing why there is none. */
static int grow(const struct target *target, void **list, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap == 0 ? LIST_INITIAL : *cap * 2;
	void *longer = n < *cap ? *list : realloc(*list, more * size);

	if (longer == NULL)
		return client_fault(target, "not enough memory");
	*list = longer;
	*cap = n < *cap ? *cap : more;
	return 0;
}

static int take_session(const struct target *target, struct answers *answers, struct worker_heard *from,
			const struct answer_session *session)
{
	void *list = answers->sessions;

	if (grow(target, &list, answers->nsessions, &answers->sessions_cap, sizeof(*session)) < 0)
		return -1;
	answers->sessions = list;
	answers->sessions[answers->nsessions] = *session;
	answers->sessions[answers->nsessions++].worker = from->worker.pid;
	from->sessions++;
	return 0;
}

static bool server_is_possible(const struct answer_server *server)
{
	for (size_t i = 0; i < ANSWER_WAYS; i++)
		if (server->ways[i].state >= WAY_STATES)
			return false;
	return server->server.port != 0 &&
	       (server->server.addr.family == IP_V4 || server->server.addr.family == IP_V6);
}

static int take_server(const struct target *target, struct answers *answers, struct worker_heard *from,
		       const struct answer_server *server)
{
	void *list = answers->servers;

	if (grow(target, &list, answers->nservers, &answers->servers_cap, sizeof(*server)) < 0)
		return -1;
	answers->servers = list;
	answers->servers[answers->nservers] = *server;
	answers->servers[answers->nservers++].worker = from->worker.pid;
	from->servers++;
	return 0;
}

static int take_event(const struct target *target, struct answers *answers, size_t *count, pid_t process,
		      const struct answer_event *event)
{
	const uint64_t now_s = (uint64_t)time(NULL);
	void *list = answers->events;

	if (grow(target, &list, answers->nevents, &answers->events_cap, sizeof(*event)) < 0)
		return -1;
	answers->events = list;
	answers->events[answers->nevents] = *event;
	/* a clock may have been set back; a worker may also want to stand above all others */
	if (event->time_s > now_s)
		answers->events[answers->nevents].time_s = now_s;
	answers->events[answers->nevents++].process = process;
	++*count;
	return 0;
}

static bool event_is_possible(const struct answer *answer, size_t before)
{
	return answer->kind == ANSWER_EVENT && answer->u.event.level <= LOG_LEVEL_WARNING &&
	       before < ANSWER_EVENTS_MAX;
}

/* The heads of sessions come on top of what was asked for. */
static bool record_is_possible(const struct answers *answers, const struct worker_heard *from,
			       const struct answer *answer)
{
	return answer->kind == ANSWER_TRACE &&
	       from->records + from->losses < (size_t)answers->records_max + RECORDS_MORE;
}

static int take_record(const struct target *target, struct answers *answers, struct worker_heard *from,
		       const struct answer_trace *record)
{
	struct answer_trace checked = *record;
	void *list = answers->records;

	from->records += record->kind != TRACE_LOST;
	from->losses += record->kind == TRACE_LOST;
	if (!trace_print_check(&checked, from->worker.pid))
		return 0;
	if (grow(target, &list, answers->nrecords, &answers->records_cap, sizeof(checked)) < 0)
		return -1;
	answers->records = list;
	answers->records[answers->nrecords++] = checked;
	return 0;
}

/* A worker speaks for itself alone: an invalid answer discredits this worker, not the others. */
static int take_from_worker(const struct target *target, struct answers *answers, struct worker_heard *from,
			    const struct answer *answer)
{
	if (from->complete || from->invalid)
		return 0;
	if (answer->kind == ANSWER_SESSION && from->sessions < from->worker.sessions + SESSIONS_MORE)
		return take_session(target, answers, from, &answer->u.session);
	if (answer->kind == ANSWER_SERVER && from->servers < ANSWER_SERVERS_MAX &&
	    server_is_possible(&answer->u.server))
		return take_server(target, answers, from, &answer->u.server);
	if (event_is_possible(answer, from->events))
		return take_event(target, answers, &from->events, from->worker.pid, &answer->u.event);
	if (record_is_possible(answers, from, answer))
		return take_record(target, answers, from, &answer->u.trace);
	from->complete =
	    answer->kind == ANSWER_LIST_END &&
	    answer->u.list_end.n == from->sessions + from->servers + from->events + from->records;
	from->invalid = !from->complete;
	return 0;
}

static pid_t claimed_by(const struct answer *answer)
{
	switch ((enum answer_kind)answer->kind) {
	case ANSWER_SESSION:
		return answer->u.session.worker;
	case ANSWER_SERVER:
		return answer->u.server.worker;
	case ANSWER_EVENT:
		return answer->u.event.process;
	case ANSWER_LIST_END:
		return answer->u.list_end.pid;
	case ANSWER_TRACE:
		return answer->u.trace.worker;
	case ANSWER_DONE:
	case ANSWER_REFUSED:
	case ANSWER_FORBIDDEN:
	case ANSWER_GATEWAY:
	case ANSWER_WORKER:
	case ANSWER_OLDER:
	case ANSWER_NAME:
	case ANSWER_COUNTS:
	case ANSWER_CLIENT:
	case ANSWER_BACKEND:
		break;
	}
	return 0;
}

static int take_backend(const struct target *target, struct answers *answers,
			const struct answer_backend *backend)
{
	void *list = answers->backends;

	if (grow(target, &list, answers->nbackends, &answers->backends_cap, sizeof(*backend)) < 0)
		return -1;
	answers->backends = list;
	answers->backends[answers->nbackends++] = *backend;
	return 1;
}

static int take_client(const struct target *target, struct answers *answers,
		       const struct answer_client *client)
{
	void *list = answers->clients;

	if (grow(target, &list, answers->nclients, &answers->clients_cap, sizeof(*client)) < 0)
		return -1;
	answers->clients = list;
	answers->clients[answers->nclients++] = *client;
	return 1;
}

/*
 * An entry of the monitor's list, or the end of it. The list comes before workers are asked, so that none
 * can add to it. Returns 1 if it is one, 0 if not, -1 as above.
 */
static int take_listed(const struct target *target, struct answers *answers, const struct answer *answer)
{
	if (answers->list_complete)
		return 0;
	if (answer->kind == ANSWER_LIST_END && answer->u.list_end.pid == answers->gateway.pid) {
		answers->list_complete = answer->u.list_end.n == answers->nclients + answers->nbackends;
		return 1;
	}
	if (answer->kind == ANSWER_CLIENT && answers->nclients < ANSWER_CLIENTS_MAX)
		return take_client(target, answers, &answer->u.client);
	if (answer->kind == ANSWER_BACKEND && answers->nbackends < BACKENDS_MAX)
		return take_backend(target, answers, &answer->u.backend);
	return 0;
}

/* The replaced attlsd that has sent this, or whose it is if the sender is not visible. */
static struct older_heard *find_older(struct answers *answers, pid_t sender, const struct answer *answer)
{
	for (size_t i = 0; i < answers->nolder; i++) {
		struct older_heard *heard = &answers->older[i];
		bool fits =
		    answer->kind == ANSWER_GATEWAY ? answer->u.gateway.pid == heard->older.pid
		    : answer->kind == ANSWER_WORKER
			? answers->own_workers == answers->gateway.workers && heard->nworkers < heard->workers
			: claimed_by(answer) == heard->older.pid;

		if (heard->older.asked != 0 && (sender == 0 ? fits : sender == heard->older.pid))
			return heard;
	}
	return NULL;
}

/* Returns 0, or -1 after printing why there is no room for its workers. */
static int expect_workers(const struct target *target, struct answers *answers, struct older_heard *from,
			  uint32_t n)
{
	size_t known = answers->gateway.workers + 1;
	void *workers;

	for (size_t i = 0; i < answers->nolder; i++)
		known += answers->older[i].workers;
	workers = realloc(answers->workers, (known + n) * sizeof(*answers->workers));
	if (workers == NULL)
		return client_fault(target, "not enough memory");
	answers->workers = workers;
	from->heard = true;
	from->workers = n;
	return 0;
}

/* It is root's, as the monitor is: it says which workers it has. */
static int take_from_older(const struct target *target, struct answers *answers, struct older_heard *from,
			   const struct answer *answer)
{
	if (answer->kind == ANSWER_GATEWAY && !from->heard && answer->u.gateway.workers <= WORKERS_MAX)
		return expect_workers(target, answers, from, answer->u.gateway.workers);
	if (event_is_possible(answer, from->events))
		return take_event(target, answers, &from->events, from->older.pid, &answer->u.event);
	if (answer->kind == ANSWER_WORKER && from->nworkers < from->workers) {
		from->nworkers++;
		answers->workers[answers->nworkers++] =
		    (struct worker_heard){ .worker = answer->u.worker, .of = from->older.pid };
	}
	return 0;
}

int client_answers_take(const struct target *target, struct answers *answers, const struct answer *answer,
			pid_t sender)
{
	struct worker_heard *from;
	struct older_heard *older;

	if (answers->workers == NULL)
		return take_gateway(target, answers, answer);
	/*
	 * if the sender is not visible (in another container, for example), trust the pid in
	 * the answer
	 */
	if (sender == 0 || sender == answers->gateway.pid) {
		int r = take_listed(target, answers, answer);

		if (r != 0)
			return r < 0 ? r : 0;
	}
	from = find_worker(answers, sender != 0 ? sender : claimed_by(answer));
	if (from != NULL)
		return take_from_worker(target, answers, from, answer);
	older = find_older(answers, sender, answer);
	if (older != NULL)
		return take_from_older(target, answers, older, answer);
	if (answer->kind == ANSWER_OLDER && answers->nolder < answers->gateway.older &&
	    (sender == 0 || sender == answers->gateway.pid)) {
		answers->older[answers->nolder++] = (struct older_heard){ .older = answer->u.older };
	} else if (answer->kind == ANSWER_WORKER && answers->own_workers < answers->gateway.workers &&
		   (sender == 0 || sender == answers->gateway.pid)) {
		answers->own_workers++;
		answers->workers[answers->nworkers++] = (struct worker_heard){ .worker = answer->u.worker };
	} else if (event_is_possible(answer, answers->own_events) &&
		   (sender != 0 ? sender : claimed_by(answer)) == answers->gateway.pid)
		return take_event(target, answers, &answers->own_events, answers->gateway.pid,
				  &answer->u.event);
	return 0; /* otherwise ignore it: no such worker */
}

uint64_t client_answers_sessions(const struct answers *answers)
{
	uint64_t n = answers->gateway.sessions;

	for (size_t i = 0; i < answers->nolder; i++)
		n += answers->older[i].older.sessions;
	return n;
}

bool client_older_is_silent(const struct older_heard *heard)
{
	return (!heard->heard || heard->nworkers < heard->workers) && heard->older.sessions > 0;
}

bool client_is_silent(const struct worker_heard *heard)
{
	switch ((enum answer_worker_state)heard->worker.state) {
	case WORKER_STARTS: /* it has no sessions yet */
	case WORKER_ENDS:
		return false;
	case WORKER_RETIRES: /* it may have exited after its last session */
	case WORKER_DRAINS:
		return !heard->complete && heard->worker.sessions > 0;
	case WORKER_SERVES:
	case WORKER_BACKLOGGED:
		break;
	}
	return !heard->complete;
}

/*
 * Have all that were asked answered? Then do not wait for the connection to close: a
 * worker may keep it open.
 */
bool client_answers_are_all(const struct answers *answers, enum ctl_proto_what what)
{
	const struct ctl_question *question = ctl_question_find(what);

	if (question == NULL || answers->workers == NULL || answers->own_workers < answers->gateway.workers ||
	    answers->nolder < answers->gateway.older)
		return false;
	if ((question->monitor_lists || question->backends) && !answers->list_complete)
		return false;
	for (size_t i = 0; question->pass != MSG_NONE && i < answers->nolder; i++)
		if (answers->older[i].older.asked != 0 && client_older_is_silent(&answers->older[i]))
			return false;
	for (size_t i = 0; question->pass != MSG_NONE && i < answers->nworkers; i++)
		if (client_is_silent(&answers->workers[i]) && !answers->workers[i].invalid &&
		    answers->workers[i].worker.state != WORKER_BACKLOGGED)
			return false;
	return true;
}

static int by_number(const void *a, const void *b)
{
	const struct answer_session *x = a;
	const struct answer_session *y = b;

	return x->session < y->session ? -1 : x->session > y->session;
}

static int by_server(const void *a, const void *b)
{
	const struct answer_server *x = a;
	const struct answer_server *y = b;
	int r =
	    (x->server.addr.family > y->server.addr.family) - (x->server.addr.family < y->server.addr.family);

	if (r == 0)
		r = memcmp(x->server.addr.bytes, y->server.addr.bytes, sizeof(x->server.addr.bytes));
	if (r == 0)
		r = (x->server.port > y->server.port) - (x->server.port < y->server.port);
	if (r == 0)
		r = strcmp(x->backend, y->backend);
	return r != 0 ? r : (x->worker > y->worker) - (x->worker < y->worker);
}

static int by_time(const void *a, const void *b)
{
	const struct answer_event *x = a;
	const struct answer_event *y = b;
	int r = (x->time_s > y->time_s) - (x->time_s < y->time_s);

	return r != 0 ? r : (x->process > y->process) - (x->process < y->process);
}

void client_answers_sort(struct answers *answers)
{
	if (answers->nsessions > 0)
		qsort(answers->sessions, answers->nsessions, sizeof(*answers->sessions), by_number);
	if (answers->nservers > 0)
		qsort(answers->servers, answers->nservers, sizeof(*answers->servers), by_server);
	if (answers->nevents > 0)
		qsort(answers->events, answers->nevents, sizeof(*answers->events), by_time);
}

void client_answers_done(struct answers *answers)
{
	free(answers->workers);
	free(answers->sessions);
	free(answers->servers);
	free(answers->events);
	free(answers->clients);
	free(answers->backends);
	free(answers->records);
}
