/*
 * Gathers the answers of the monitor and its workers. A worker may be under an
 * attacker's control, so each answer is checked against the monitor's answers and
 * against its sender before it gets memory or reaches the terminal.
 */
#include "gateway/ctl/client-answers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* No host runs more workers. */
#define WORKERS_MAX 65536
/* New sessions that may begin while they are counted. */
#define SESSIONS_MORE 10000
/* The array starts with this size and doubles. */
#define SESSIONS_INITIAL 16

/* Terminate a text, and replace what could control the terminal. */
static void sanitize(char *text, size_t size)
{
	text[size - 1] = '\0';
	for (unsigned char *c = (unsigned char *)text; *c != '\0'; c++)
		if (*c < 0x20 || *c == 0x7f)
			*c = '?';
}

#define TERMINATE(field) ((field)[sizeof(field) - 1] = '\0')

static void sanitize_texts(struct answer *answer)
{
	switch ((enum answer_kind)answer->kind) {
	case ANSWER_DONE:
	case ANSWER_REFUSED:
		sanitize(answer->u.text, sizeof(answer->u.text));
		break;
	case ANSWER_GATEWAY:
		sanitize(answer->u.gateway.version, sizeof(answer->u.gateway.version));
		sanitize(answer->u.gateway.policy, sizeof(answer->u.gateway.policy));
		sanitize(answer->u.gateway.failure, sizeof(answer->u.gateway.failure));
		break;
	case ANSWER_SESSION: /* client-print.c escapes these */
		TERMINATE(answer->u.session.listener);
		TERMINATE(answer->u.session.rule);
		TERMINATE(answer->u.session.backend);
		TERMINATE(answer->u.session.user);
		TERMINATE(answer->u.session.tls);
		TERMINATE(answer->u.session.cipher);
		TERMINATE(answer->u.session.transfer);
		break;
	case ANSWER_WORKER:
	case ANSWER_SESSIONS_END:
		break;
	}
}

void client_answers_check(struct answer *answer, size_t received)
{
	if (received != sizeof(*answer) || answer->version != CTL_VERSION)
		answer->kind = 0;
	sanitize_texts(answer);
}

/* Do two paths name the same file? If stat() fails, the paths must be equal. */
static bool same_file(const char *a, const char *b)
{
	struct stat of_a, of_b;

	if (stat(a, &of_a) == 0 && stat(b, &of_b) == 0)
		return of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
	return strcmp(a, b) == 0;
}

static bool is_cut_off(const struct answer_gateway *gateway)
{
	return strlen(gateway->policy) == sizeof(gateway->policy) - 1;
}

/* The monitor's first answer. */
static int take_gateway(const struct target *target, struct answers *answers, const struct answer *answer)
{
	const struct answer_gateway *gateway = &answer->u.gateway;

	if (answer->kind == ANSWER_REFUSED)
		return client_fault(target, "%s", answer->u.text);
	if (answer->kind != ANSWER_GATEWAY || gateway->workers > WORKERS_MAX || gateway->pid == 0)
		return client_fault(target, CTL_OTHER_VERSION);
	if (target->policy != NULL && !is_cut_off(gateway) && !same_file(target->policy, gateway->policy))
		return client_fault(
		    target,
		    "the attlsd that listens there (process %d) serves %s, not %s; give each attlsd its own "
		    "control_socket, or name the socket with --socket",
		    (int)gateway->pid, gateway->policy, target->policy);
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

static int take_session(const struct target *target, struct answers *answers, struct worker_heard *from,
			const struct answer_session *session)
{
	if (answers->nsessions == answers->sessions_cap) {
		size_t cap = answers->sessions_cap == 0 ? SESSIONS_INITIAL : answers->sessions_cap * 2;
		void *list = realloc(answers->sessions, cap * sizeof(*answers->sessions));

		if (list == NULL)
			return client_fault(target, "not enough memory");
		answers->sessions = list;
		answers->sessions_cap = cap;
	}
	answers->sessions[answers->nsessions] = *session;
	answers->sessions[answers->nsessions++].worker = from->worker.pid;
	from->sessions++;
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
	from->complete =
	    answer->kind == ANSWER_SESSIONS_END && answer->u.sessions_end.sessions == from->sessions;
	from->invalid = !from->complete;
	return 0;
}

static pid_t claimed_by(const struct answer *answer)
{
	return answer->kind == ANSWER_SESSION	     ? answer->u.session.worker
	       : answer->kind == ANSWER_SESSIONS_END ? answer->u.sessions_end.pid
						     : 0;
}

int client_answers_take(const struct target *target, struct answers *answers, const struct answer *answer,
			pid_t sender)
{
	struct worker_heard *from;

	if (answers->workers == NULL)
		return take_gateway(target, answers, answer);
	/*
	 * if the sender is not visible (in another container, for example), trust the pid in
	 * the answer
	 */
	from = find_worker(answers, sender != 0 ? sender : claimed_by(answer));
	if (from != NULL)
		return take_from_worker(target, answers, from, answer);
	if (answer->kind == ANSWER_WORKER && answers->nworkers < answers->gateway.workers &&
	    (sender == 0 || sender == answers->gateway.pid))
		answers->workers[answers->nworkers++].worker = answer->u.worker;
	return 0; /* otherwise ignore it: no such worker */
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
	if (answers->workers == NULL || answers->nworkers < answers->gateway.workers)
		return false;
	for (size_t i = 0; what == CTL_SESSIONS && i < answers->nworkers; i++)
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

void client_answers_sort(struct answers *answers)
{
	if (answers->nsessions > 0)
		qsort(answers->sessions, answers->nsessions, sizeof(*answers->sessions), by_number);
}

void client_answers_done(struct answers *answers)
{
	free(answers->workers);
	free(answers->sessions);
}
