#include "gateway/ctl/client.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/util.h"

/* To be let in; from one answer to the next; for all of them. */
#define CONNECT_TIMEOUT_S  5
#define NEXT_TIMEOUT_MS	   3000
#define COLLECT_TIMEOUT_MS 30000
/* No host runs more workers. */
#define WORKERS_MAX 65536
/* Sessions that may come while they are counted. */
#define SESSIONS_MORE 10000
/* Memory is asked for in steps that double, from here on. */
#define SESSIONS_INITIAL 16

int client_fault(const struct target *target, const char *fmt, ...)
{
	va_list args;

	(void)fprintf(stderr, "attlsctl: %s: ", target->socket);
	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fputc('\n', stderr);
	return -1;
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int unreachable(const struct target *target, int error)
{
	struct stat st;

	if (stat(target->socket, &st) == 0 && !S_ISSOCK(st.st_mode))
		return client_fault(target, "this is no socket; look at control_socket of the policy");
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return client_fault(
		    target, "there is no such socket: attlsd does not run, or its policy was another when it "
			    "read it (name that socket with --socket), or its log says why it has none "
			    "(no-control-socket)");
	case ECONNREFUSED:
		return client_fault(target, "nobody listens: the attlsd that made it has ended; the next one "
					    "replaces it");
	case EACCES:
		return client_fault(target, "only the user that started attlsd may ask it, mostly root");
	case EAGAIN:
		return client_fault(target,
				    "attlsd does not answer: it still starts, or its first process hangs");
	case EPROTOTYPE:
		return client_fault(target, "this is another program's socket");
	default:
		return client_fault(target, "%s", strerror(error));
	}
}

/* Whoever can make files where the socket is expected could play attlsd. */
static int check_peer(const struct target *target, int fd)
{
	struct ucred who = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
	    (who.uid == 0 || who.uid == geteuid()))
		return 0;
	return client_fault(
	    target,
	    "whoever listens is neither root nor you; if that is attlsd, ask as the user that started "
	    "it: sudo -u '#%u' attlsctl ...",
	    (unsigned)who.uid);
}

/* Returns the connection with the question asked, or -1. */
static int ask(const struct target *target, enum ctl_proto_what what, uint64_t session)
{
	const struct ask question = { .version = CTL_VERSION, .what = what, .session = session };
	const struct timeval wait = { .tv_sec = CONNECT_TIMEOUT_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;
	int r;

	if (strlen(target->socket) >= sizeof(address.sun_path))
		return client_fault(target,
				    "the path is too long for a socket, which has at most %zu characters",
				    sizeof(address.sun_path) - 1);
	(void)strncpy(address.sun_path, target->socket, sizeof(address.sun_path) - 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return client_fault(target, "%s", strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)); /* of connect(), too */
	(void)setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == -1)
		r = unreachable(target, errno);
	else
		r = check_peer(target, fd);
	if (r == 0 && send(fd, &question, sizeof(question), MSG_NOSIGNAL) != (ssize_t)sizeof(question))
		r = client_fault(target, "attlsd closed the connection");
	if (r < 0)
		fd_close(&fd);
	return fd;
}

/* End a text that need not have an end, and let it not write on the terminal. */
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
	case ANSWER_SESSION: /* client-print.c shows these as what they are */
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

/* Who has sent a packet, by the word of the kernel. 0: a process that is not seen from here. */
static pid_t sender_of(struct msghdr *header)
{
	struct ucred who = { .pid = 0 };

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg != NULL; cmsg = CMSG_NXTHDR(header, cmsg))
		if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_CREDENTIALS &&
		    cmsg->cmsg_len == CMSG_LEN(sizeof(who)))
			memcpy(&who, CMSG_DATA(cmsg), sizeof(who));
	return who.pid;
}

static ssize_t receive(int fd, struct answer *ret, pid_t *ret_sender)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec iov = { .iov_base = ret, .iov_len = sizeof(*ret) };
	struct msghdr header = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);

	*ret_sender = n > 0 ? sender_of(&header) : 0;
	return n > 0 && (header.msg_flags & MSG_TRUNC) ? (ssize_t)sizeof(*ret) + 1 : n;
}

/*
 * Returns 1 and an answer (of kind 0: it is none) with its sender, 0 at the end,
 * -EAGAIN when none has come in time, or -1.
 */
static int receive_answer(const struct target *target, int fd, int wait_ms, struct answer *ret,
			  pid_t *ret_sender)
{
	struct pollfd look = { .fd = fd, .events = POLLIN };
	ssize_t n;
	int r;

	do {
		r = poll(&look, 1, wait_ms);
	} while (r == -1 && errno == EINTR);
	if (r == 0)
		return -EAGAIN;
	n = r == -1 ? -1 : receive(fd, ret, ret_sender);
	if (n == 0 || (n == -1 && errno == ECONNRESET))
		return 0;
	if (n == -1)
		return client_fault(target, "%s", strerror(errno));
	if (n != (ssize_t)sizeof(*ret) || ret->version != CTL_VERSION)
		ret->kind = 0;
	sanitize_texts(ret);
	return 1;
}

static int no_answer(const struct target *target)
{
	return client_fault(target, CTL_OTHER_VERSION);
}

/* One file by two names? What cannot be looked at has to have the same name. */
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
		return no_answer(target);
	if (target->policy != NULL && !is_cut_off(gateway) && !same_file(target->policy, gateway->policy))
		return client_fault(
		    target,
		    "the attlsd that listens there (process %d) serves %s, not %s; give that one a "
		    "control_socket of its own, or name the socket with --socket",
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

/* A worker speaks for itself alone; what cannot be is held against it, and not against the others. */
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

static int take(const struct target *target, struct answers *answers, const struct answer *answer,
		pid_t sender)
{
	struct worker_heard *from;

	if (answers->workers == NULL)
		return take_gateway(target, answers, answer);
	/* where processes are not seen, in another container, say, they have to be believed who they are */
	from = find_worker(answers, sender != 0 ? sender : claimed_by(answer));
	if (from != NULL)
		return take_from_worker(target, answers, from, answer);
	if (answer->kind == ANSWER_WORKER && answers->nworkers < answers->gateway.workers &&
	    (sender == 0 || sender == answers->gateway.pid))
		answers->workers[answers->nworkers++].worker = answer->u.worker;
	return 0; /* or it is nobody's word */
}

bool client_is_silent(const struct worker_heard *heard)
{
	switch ((enum answer_worker_state)heard->worker.state) {
	case WORKER_STARTS: /* has none yet */
	case WORKER_ENDS:
		return false;
	case WORKER_RETIRES: /* may have gone with its last one */
	case WORKER_DRAINS:
		return !heard->complete && heard->worker.sessions > 0;
	case WORKER_SERVES:
	case WORKER_BACKLOGGED:
		break;
	}
	return !heard->complete;
}

/* Has everybody told who was asked? Then the end is not worth waiting for: somebody may keep it back. */
static bool is_all(const struct answers *answers, enum ctl_proto_what what)
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

int client_collect(const struct target *target, enum ctl_proto_what what, struct answers *ret)
{
	int64_t end_ms = now_ms() + COLLECT_TIMEOUT_MS;
	struct answer answer;
	pid_t sender;
	int fd;
	int r = 1;

	*ret = (struct answers){ .nworkers = 0 };
	fd = ask(target, what, 0);
	if (fd == -1)
		return -1;
	while (r == 1 && !is_all(ret, what)) {
		r = now_ms() < end_ms ? receive_answer(target, fd, NEXT_TIMEOUT_MS, &answer, &sender)
				      : -EAGAIN;
		if (r == 1 && take(target, ret, &answer, sender) < 0)
			r = -1;
	}
	fd_close(&fd);
	if (r == -1)
		return -1;
	if (ret->workers == NULL)
		return client_fault(target, r == 0 ? "attlsd closed the connection without an answer"
						   : "attlsd does not answer: it still starts, or its "
						     "first process hangs");
	if (ret->nsessions > 0)
		qsort(ret->sessions, ret->nsessions, sizeof(*ret->sessions), by_number);
	return 0;
}

void client_answers_done(struct answers *answers)
{
	free(answers->workers);
	free(answers->sessions);
}

int client_order(const struct target *target, enum ctl_proto_what what, uint64_t session, int wait_ms,
		 struct answer *ret)
{
	int fd = ask(target, what, session);
	pid_t sender;
	int r;

	if (fd == -1)
		return -1;
	r = receive_answer(target, fd, wait_ms, ret, &sender);
	fd_close(&fd);
	if (r == -EAGAIN)
		return client_fault(
		    target, "attlsd does not answer in time; attlsctl status tells whether it was done");
	if (r == 0)
		return client_fault(target, "attlsd closed the connection without an answer");
	if (r == 1 && ret->kind == ANSWER_REFUSED)
		return client_fault(target, "%s", ret->u.text);
	if (r == 1 && ret->kind != ANSWER_DONE)
		return no_answer(target);
	return r == 1 ? 0 : -1;
}
