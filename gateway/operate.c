#include "gateway/operate.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/operate-print.h"
#include "gateway/policy-file.h"
#include "gateway/util.h"

/* For each answer. A reload waits for new workers, which load keys. */
#define ANSWER_MS 15000
#define RELOAD_MS 120000

static int fault(const char *path, const char *what)
{
	(void)fprintf(stderr, "attlsctl: %s: %s\n", path, what);
	return -1;
}

static const char *why_unreachable(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return "no attlsd has this control_socket: it does not run, or its policy names another, "
		       "or the folder was not there when it began";
	case ECONNREFUSED:
		return "nobody listens: the attlsd that made it has ended";
	case EACCES:
		return "only the user that attlsd was started as may ask it; try again as root";
	case EPROTOTYPE:
		return "this is not a control_socket of attlsd";
	default:
		return strerror(error);
	}
}

/* Returns the connection with the question asked, or -1. */
static int ask(const char *path, enum ask_what what, uint64_t session)
{
	const struct ask question = { .version = ASK_VERSION, .what = what, .session = session };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return fault(path, "the path is too long for a socket");
	(void)strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return fault(path, strerror(errno));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == -1)
		(void)fault(path, why_unreachable(errno));
	else if (send(fd, &question, sizeof(question), MSG_NOSIGNAL) == (ssize_t)sizeof(question))
		return fd;
	else
		(void)fault(path, "attlsd closed the connection");
	fd_close(&fd);
	return -1;
}

#define END(field) ((field)[sizeof(field) - 1] = '\0')

/* Workers answer, too, and may have been taken over: a text of theirs need not end. */
static void end_texts(struct answer *answer)
{
	switch ((enum answer_kind)answer->kind) {
	case ANSWER_DONE:
	case ANSWER_REFUSED:
		END(answer->u.text);
		break;
	case ANSWER_GATEWAY:
		END(answer->u.gateway.version);
		END(answer->u.gateway.policy);
		break;
	case ANSWER_WORKER:
		break;
	case ANSWER_SESSION:
		END(answer->u.session.listener);
		END(answer->u.session.rule);
		END(answer->u.session.user);
		END(answer->u.session.tls);
		END(answer->u.session.cipher);
		END(answer->u.session.transfer);
		break;
	}
}

/* Returns 1 and an answer, 0 at the end, or -1. */
static int hear(const char *path, int fd, int wait_ms, struct answer *ret)
{
	struct pollfd look = { .fd = fd, .events = POLLIN };
	ssize_t n;
	int r;

	do {
		r = poll(&look, 1, wait_ms);
	} while (r == -1 && errno == EINTR);
	if (r == 0)
		return fault(path, "attlsd does not answer in time");
	n = r == -1 ? -1 : recv(fd, ret, sizeof(*ret), MSG_TRUNC);
	if (n == 0)
		return 0;
	if (n == -1)
		return fault(path, errno == ECONNRESET ? "attlsd closed the connection" : strerror(errno));
	if (n != (ssize_t)sizeof(*ret) || ret->version != ASK_VERSION)
		return fault(path, "attlsctl and the attlsd that runs are of different versions");
	end_texts(ret);
	return 1;
}

/* Room for one more; returns NULL without memory. */
static void *grow(void *list, size_t n, size_t size)
{
	/* in powers of two, from 16 on */
	return n != 0 && (n < 16 || (n & (n - 1)) != 0) ? list : realloc(list, (n == 0 ? 16 : n * 2) * size);
}

static int keep(const char *path, struct answers *answers, const struct answer *answer)
{
	void *list = NULL;

	switch ((enum answer_kind)answer->kind) {
	case ANSWER_DONE:
	case ANSWER_REFUSED:
		return fault(path, answer->u.text);
	case ANSWER_GATEWAY:
		answers->gateway = answer->u.gateway;
		return 0;
	case ANSWER_WORKER:
		list = grow(answers->workers, answers->nworkers, sizeof(*answers->workers));
		if (list == NULL)
			break;
		answers->workers = list;
		answers->workers[answers->nworkers++] = answer->u.worker;
		return 0;
	case ANSWER_SESSION:
		list = grow(answers->sessions, answers->nsessions, sizeof(*answers->sessions));
		if (list == NULL)
			break;
		answers->sessions = list;
		answers->sessions[answers->nsessions++] = answer->u.session;
		return 0;
	}
	return fault(path, list == NULL ? "not enough memory" : "attlsd sent an answer that is none");
}

static int by_number(const void *a, const void *b)
{
	const struct answer_session *x = a;
	const struct answer_session *y = b;

	return x->session < y->session ? -1 : x->session > y->session;
}

static void answers_done(struct answers *answers)
{
	free(answers->workers);
	free(answers->sessions);
}

/* Returns 0 and all answers, the caller's to answers_done() in any case; or -1. */
static int collect(const char *path, enum ask_what what, struct answers *answers)
{
	struct answer answer;
	int fd = ask(path, what, 0);
	int r = fd == -1 ? -1 : 1;

	*answers = (struct answers){ .nworkers = 0 };
	while (r == 1) {
		r = hear(path, fd, ANSWER_MS, &answer);
		if (r == 1 && keep(path, answers, &answer) < 0)
			r = -1;
	}
	fd_close(&fd);
	if (r < 0)
		return -1;
	answers->whole = answers->gateway.pid != 0 && answers->nworkers == answers->gateway.workers;
	if (answers->nsessions > 0)
		qsort(answers->sessions, answers->nsessions, sizeof(*answers->sessions), by_number);
	return 0;
}

static int show(const char *path, enum ask_what what, bool json,
		void (*print)(const struct answers *, FILE *), int (*dump)(const struct answers *, FILE *))
{
	struct answers answers;
	int r = collect(path, what, &answers);

	if (r == 0 && json)
		r = dump(&answers, stdout);
	else if (r == 0)
		print(&answers, stdout);
	if (r == 0 && !answers.whole)
		r = fault(path, "not every worker has answered, so something is missing above; ask again");
	answers_done(&answers);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int operate_status(const char *socket_path, bool json)
{
	return show(socket_path, ASK_STATUS, json, operate_print_status, operate_json_status);
}

int operate_sessions(const char *socket_path, bool json)
{
	return show(socket_path, ASK_SESSIONS, json, operate_print_sessions, operate_json_sessions);
}

/* An order has one answer. */
static int order(const char *path, enum ask_what what, uint64_t session, int wait_ms)
{
	struct answer answer;
	int fd = ask(path, what, session);
	int r = fd == -1 ? -1 : hear(path, fd, wait_ms, &answer);

	fd_close(&fd);
	if (r == 0)
		r = fault(path, "attlsd closed the connection without an answer");
	if (r == 1 && answer.kind != ANSWER_DONE)
		r = fault(path, answer.kind == ANSWER_REFUSED ? answer.u.text
							      : "attlsd sent an answer that is none");
	if (r == 1)
		(void)printf("%s\n", answer.u.text);
	return r == 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int operate_end(const char *socket_path, uint64_t session)
{
	return order(socket_path, ASK_END, session, ANSWER_MS);
}

int operate_drain(const char *socket_path)
{
	return order(socket_path, ASK_DRAIN, 0, ANSWER_MS);
}

/* Would attlsd take the policy? */
static bool policy_has_faults(const char *path)
{
	struct diags diags;
	bool faults;

	if (path[0] != '/') /* as attlsd was started elsewhere: it will tell */
		return false;
	faults = policy_file_check(path, &diags) < 0;
	if (faults) {
		diags_print(&diags, stderr);
		(void)fprintf(stderr, "%zu error%s; attlsd was not asked, its policy stays in force\n",
			      diags.nerrors, diags.nerrors == 1 ? "" : "s");
	}
	diags_done(&diags);
	return faults;
}

int operate_reload(const char *socket_path)
{
	struct answers answers;
	int r = collect(socket_path, ASK_STATUS, &answers);
	bool faults = r == 0 && policy_has_faults(answers.gateway.policy);

	answers_done(&answers);
	return r < 0 || faults ? EXIT_FAILURE : order(socket_path, ASK_RELOAD, 0, RELOAD_MS);
}
