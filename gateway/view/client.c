/*
 * Talks to a running attlsd: connects to its control_socket, checks which user
 * listens there, sends one question and reads the answers, each with its sender.
 * client-answers.c judges them.
 */
#include "gateway/view/client.h"

#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/base/ctl-order.h"
#include "gateway/base/ctl-question.h"
#include "gateway/base/loop.h"
#include "gateway/base/util.h"
#include "gateway/view/client-check.h"
#include "gateway/view/client-receive.h"

/* Since Linux 6.16: whether a socket takes descriptors. */
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

/* Time to connect, between two answers, and for all answers. */
#define CONNECT_TIMEOUT_S  5
#define NEXT_TIMEOUT_MS	   3000
#define COLLECT_TIMEOUT_MS 30000

static int unreachable(const struct target *target, int error)
{
	struct stat st;

	if (stat(target->socket, &st) == 0 && !S_ISSOCK(st.st_mode))
		return client_fault(target, "this is not a socket; look at control_socket of the policy");
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return client_fault(
		    target,
		    "there is no such socket: attlsd does not run, or it started with another policy (name "
		    "its socket with --socket), or it could not make the socket (its log says why: "
		    "no-control-socket)");
	case ECONNREFUSED:
		return client_fault(target,
				    "no program listens on it: the attlsd that made it has ended, and the "
				    "next one replaces it");
	case EACCES:
		return client_fault(target,
				    "only the user that started attlsd, usually root, and the members of its "
				    "control_group may ask it");
	case EAGAIN:
		return client_fault(target,
				    "attlsd does not answer: it is still starting, or its monitor hangs");
	case EPROTOTYPE:
		return client_fault(target, "this is another program's socket");
	default:
		return client_fault(target, "%s", strerror(error));
	}
}

/* Does the socket lie in a folder in which only this user can make files? */
static bool folder_is_of(const char *socket, uid_t uid)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s", socket);
	return stat(dirname(path), &st) == 0 && st.st_uid == uid && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/*
 * Any user who can make files in the socket's folder could impersonate attlsd. A member of
 * control_group, which only asks, need not be the user that started attlsd.
 */
static int check_peer(const struct target *target, int fd, enum ctl_proto_what what)
{
	const struct ctl_question *question = ctl_question_find(what);
	bool only_asks = question != NULL && !ctl_question_is_order(question);
	struct ucred who = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
	    (who.uid == 0 || who.uid == geteuid() ||
	     (geteuid() != 0 && only_asks && folder_is_of(target->socket, who.uid))))
		return 0;
	return client_fault(
	    target,
	    "the program that listens runs as neither root nor you, but as uid %u; if it is attlsd, "
	    "run attlsctl as that user: sudo -u '#%u' attlsctl ...",
	    (unsigned)who.uid, (unsigned)who.uid);
}

/* Beyond all other time limits. */
#define SPARE_MS 5000

/* For the handler of a signal, which has no other way to know it. */
static void (*before_exit)(void);

void client_before_exit(void (*call)(void))
{
	before_exit = call;
}

static void on_alarm(int signal)
{
	static const char text[] = "attlsctl: attlsd does not answer in time\n";

	(void)signal;
	if (before_exit != NULL)
		before_exit();
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1); /* printf() is not safe here */
	_exit(EXIT_FAILURE);
}

/* 0: no limit. */
static void limit_time(int ms)
{
	const struct itimerval limit = { .it_value.tv_sec = ms / 1000, .it_interval.tv_sec = ms > 0 };

	(void)setitimer(ITIMER_REAL, &limit, NULL);
}

/*
 * A worker under an attacker's control may pass descriptors to this process. Older
 * kernels close them in here, and closing a socket can wait for as long as the worker
 * likes (SO_LINGER), unless a signal comes.
 */
static void refuse_descriptors(int fd, int wait_ms)
{
	struct sigaction action = { .sa_handler = on_alarm };

	(void)setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &(int){ 0 }, sizeof(int));
	if (sigaction(SIGALRM, &action, NULL) == 0)
		limit_time(CONNECT_TIMEOUT_S * 1000 + wait_ms + SPARE_MS);
}

/* Connects and sends the question, whose answers take at most wait_ms. Returns the connection, or -1. */
static int ask(const struct target *target, const struct ask *question, int wait_ms)
{
	const size_t size =
	    question->version == CTL_ORDER_VERSION ? sizeof(struct ctl_order) : sizeof(*question);
	const struct timeval wait = { .tv_sec = CONNECT_TIMEOUT_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;
	int r;

	if (strlen(target->socket) >= sizeof(address.sun_path))
		return client_fault(target, "the path is too long for a socket: at most %zu characters",
				    sizeof(address.sun_path) - 1);
	(void)strncpy(address.sun_path, target->socket, sizeof(address.sun_path) - 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return client_fault(target, "%s", strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)); /* limits connect(), too */
	(void)setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int));
	refuse_descriptors(fd, wait_ms);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == -1)
		r = unreachable(target, errno);
	else
		r = check_peer(target, fd, question->what);
	if (r == 0 && send(fd, question, size, MSG_NOSIGNAL) != (ssize_t)size)
		r = client_fault(target, "attlsd closed the connection");
	if (r < 0)
		fd_close(&fd);
	return fd;
}

static void hang_up(int *fd)
{
	fd_close(fd);
	limit_time(0); /* what is printed now may take its time */
}

/* Returns 1: something has come; -EAGAIN: not in time (-1: any time); -1: poll() has failed. */
static int wait_answer(int fd, int wait_ms)
{
	struct pollfd look = { .fd = fd, .events = POLLIN };
	int r;

	do {
		r = poll(&look, 1, wait_ms);
	} while (r == -1 && errno == EINTR);
	return r == 0 ? -EAGAIN : r;
}

/* Returns 1 and a packet, 0 at the end, -EAGAIN if none has come in time, or -1. */
static int receive_packet(const struct target *target, int fd, int wait_ms, struct client_packet *ret)
{
	int n = client_receive(fd, ret); /* mostly there is one: hundreds come at once */

	while (n == -1 && (errno == EAGAIN || errno == EINTR)) {
		int r = wait_answer(fd, wait_ms);

		if (r == -EAGAIN)
			return r;
		if (r == -1)
			break;
		n = client_receive(fd, ret);
	}
	if (n == 0 || (n == -1 && errno == ECONNRESET))
		return 0;
	return n == -1 ? client_fault(target, "%s", strerror(errno)) : 1;
}

static struct ask question_of(enum ctl_proto_what what, const struct session_filter *filter)
{
	const struct session_filter none = { .session = 0 };

	return (struct ask){ .version = ctl_order_has(what) ? CTL_ORDER_VERSION : CTL_VERSION,
			     .what = what,
			     .session = filter != NULL ? filter->session : 0,
			     .filter = filter != NULL ? *filter : none };
}

int client_collect(const struct target *target, enum ctl_proto_what what, const struct session_filter *filter,
		   struct answers *ret)
{
	const struct ask question = question_of(what, filter);

	return client_collect_ask(target, &question, ret);
}

int client_collect_ask(const struct target *target, const struct ask *question, struct answers *ret)
{
	uint64_t end_ms = loop_clock_ms() + COLLECT_TIMEOUT_MS;
	int patience_ms = target->patience_ms > 0 ? target->patience_ms : NEXT_TIMEOUT_MS;
	struct client_packet packet;
	const struct answer *answer;
	int fd;
	int r = 1;

	*ret = (struct answers){ .nworkers = 0, .records_max = question->last };
	fd = ask(target, question, COLLECT_TIMEOUT_MS);
	if (fd == -1)
		return -1;
	while (r == 1 && !client_answers_are_all(ret, question->what)) {
		r = loop_clock_ms() < end_ms ? receive_packet(target, fd, patience_ms, &packet) : -EAGAIN;
		while (r == 1 && (answer = client_packet_next(&packet)) != NULL)
			if (client_answers_take(target, ret, answer, packet.sender) < 0)
				r = -1;
	}
	hang_up(&fd);
	if (r == -1)
		return -1;
	if (ret->workers == NULL)
		return client_fault(target, r == 0 ? "attlsd closed the connection without an answer"
						   : "attlsd does not answer: it is still starting, "
						     "or its monitor hangs");
	client_answers_sort(ret);
	return 0;
}

/* The first answer must be that of the right attlsd; others count if they are its monitor's. */
static bool is_of_monitor(const struct target *target, struct answers *answers, const struct answer *answer,
			  pid_t sender)
{
	if (answers->workers == NULL)
		return client_answers_take(target, answers, answer, sender) == 0;
	return sender == 0 || sender == answers->gateway.pid;
}

int client_read(const struct target *target, enum ctl_proto_what what,
		int (*take)(void *context, const struct answer *answer), void *context)
{
	uint64_t end_ms = loop_clock_ms() + COLLECT_TIMEOUT_MS;
	struct answers answers = { .nworkers = 0 };
	const struct ask question = question_of(what, NULL);
	int fd = ask(target, &question, COLLECT_TIMEOUT_MS);
	struct client_packet packet;
	const struct answer *answer;
	int r = fd == -1 ? -1 : 1, taken = 0;

	while (r == 1 && taken == 0) {
		r = loop_clock_ms() < end_ms ? receive_packet(target, fd, NEXT_TIMEOUT_MS, &packet) : -EAGAIN;
		while (r == 1 && taken == 0 && (answer = client_packet_next(&packet)) != NULL) {
			if (is_of_monitor(target, &answers, answer, packet.sender))
				taken = take(context, answer);
			else
				r = -1;
		}
	}
	if (fd != -1)
		hang_up(&fd);
	client_answers_done(&answers);
	if (taken == -1)
		return client_fault(target, CTL_OTHER_VERSION);
	if (taken == 0 && r != -1)
		return client_fault(target, r == 0
						? "attlsd closed the connection before the end of its answer"
						: "attlsd does not answer: it is still starting, "
						  "or its monitor hangs");
	return taken == 1 ? 0 : -1;
}

/* Workers send nothing but a trace and its end: else one that lies could end the traces of the others. */
static bool may_follow(const struct answer *answer, pid_t sender, pid_t monitor)
{
	return answer->kind == ANSWER_TRACE || answer->kind == ANSWER_LIST_END || sender == 0 ||
	       sender == monitor;
}

int client_follow(const struct target *target, const struct ask *question, client_answer_fn *on_answer,
		  void *context)
{
	int fd = ask(target, question, NEXT_TIMEOUT_MS);
	int wait_ms = NEXT_TIMEOUT_MS; /* the first answer is the monitor's */
	struct client_packet packet;
	struct answer *answer;
	pid_t monitor = 0;
	bool more = true;
	int r = fd == -1 ? -1 : 1;

	while (r == 1 && more) {
		r = wait_answer(fd, wait_ms);
		if (r != 1)
			break;
		limit_time(SPARE_MS); /* see refuse_descriptors() */
		r = receive_packet(target, fd, 0, &packet);
		limit_time(0);
		if (r != 1)
			break;
		answer = client_packet_next(&packet); /* there is one */
		if (wait_ms >= 0 && answer->kind != ANSWER_GATEWAY) {
			r = client_fault(target, "%s",
					 answer->kind == ANSWER_REFUSED ? answer->u.text : CTL_OTHER_VERSION);
			break;
		}
		if (wait_ms >= 0)
			monitor = answer->u.gateway.pid;
		else if (!may_follow(answer, packet.sender, monitor))
			continue;
		wait_ms = -1;
		if (answer->kind == ANSWER_REFUSED) {
			r = client_fault(target, "%s", answer->u.text);
			break;
		}
		more = on_answer(context, answer, packet.sender);
	}
	if (fd != -1)
		hang_up(&fd);
	if (r == -EAGAIN)
		return client_fault(target,
				    "attlsd does not answer: it is still starting, or its monitor hangs");
	if (r == 0)
		return client_fault(target, "attlsd has ended, or closed the connection");
	return r == -1 ? -1 : 0;
}

int client_order(const struct target *target, enum ctl_proto_what what, const struct session_filter *filter,
		 int wait_ms, struct answer *ret)
{
	const struct ask question = question_of(what, filter);

	return client_order_ask(target, &question, wait_ms, ret);
}

int client_order_ask(const struct target *target, const struct ask *question, int wait_ms, struct answer *ret)
{
	int fd = ask(target, question, wait_ms);
	struct client_packet packet;
	int r;

	if (fd == -1)
		return -1;
	r = receive_packet(target, fd, wait_ms, &packet);
	if (r == 1)
		*ret = *client_packet_next(&packet);
	hang_up(&fd);
	if (r == -EAGAIN)
		return client_fault(
		    target, "%s",
		    ctl_question_is_order(ctl_question_find(question->what))
			? "attlsd does not answer in time; attlsctl status shows whether it "
			  "was done"
			: "attlsd does not answer: it is still starting, or its monitor hangs");
	if (r == 0)
		return client_fault(target, "attlsd closed the connection without an answer");
	if (r == 1 && ret->kind == ANSWER_REFUSED) {
		(void)client_fault(target, "%s", ret->u.text);
		return 1;
	}
	if (r == 1 && ret->kind == ANSWER_FORBIDDEN)
		return client_fault(target, "%s", ret->u.text);
	if (r == 1 && ret->kind != ANSWER_DONE)
		return client_fault(target, CTL_OTHER_VERSION);
	return r == 1 ? 0 : -1;
}
