/*
 * An HTTP process that an attacker controls, with the real monitor: what it does is the
 * text in its token file. A word that begins with "free-" says that the filter has a hole:
 * then only the monitor stands in the way.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/msg.h"
#include "gateway/base/util.h"
#include "gateway/host/http-calls.h"
#include "gateway/host/http-token.h"
#include "gateway/http/http.h"

static const struct {
	const char *name;
	uint32_t version, what;
} orders[] = {
	{ "order-of-reload", CTL_VERSION, CTL_RELOAD },
	{ "order-of-drain", CTL_VERSION, CTL_DRAIN },
	{ "order-of-maintenance", CTL_VERSION, CTL_MAINTENANCE },
	{ "order-to-make-way", CTL_VERSION, CTL_MAKE_WAY },
	{ "order-of-end", CTL_VERSION, CTL_END },
	{ "order-without-name", CTL_VERSION, 0 },
	{ "order-of-no-name", CTL_VERSION, 0x7fffffff },
	{ "order-of-another", CTL_VERSION + 1, CTL_STATUS },
	{ "question-of-trace", CTL_VERSION, CTL_TRACE },
	{ "question-of-trace-last", CTL_VERSION, CTL_TRACE_LAST },
	{ "question-of-servers", CTL_VERSION, CTL_SERVERS },
	{ "question-of-clients", CTL_VERSION, CTL_CLIENTS },
	{ "question-of-backends", CTL_VERSION, CTL_BACKENDS },
	{ "question-of-policy", CTL_VERSION, CTL_POLICY },
	{ "question-of-sessions", CTL_VERSION, CTL_SESSIONS },
};

static void tell(const char *what, const char *text)
{
	log_event(LOG_LEVEL_ERROR, "taken", LOG_TEXT("what", what), LOG_TEXT("text", text));
}

static bool ask(uint32_t version, uint32_t what, uint64_t session)
{
	struct ask question;

	memset(&question, 0, sizeof(question));
	question.version = version;
	question.what = what;
	question.session = session;
	return write(HTTP_QUESTIONS_FD, &question, sizeof(question)) == (ssize_t)sizeof(question);
}

/* The socket with the answers to the last question. */
static int take_socket(void)
{
	struct msg msg;
	int fd = -1;

	while (poll(&(struct pollfd){ .fd = HTTP_ORDERS_FD, .events = POLLIN }, 1, -1) == 1 &&
	       msg_receive(HTTP_ORDERS_FD, &msg, &fd) == -EAGAIN)
		;
	return fd;
}

/* Session 1 is the one of the test. */
static void give_order(const char *name)
{
	struct answer answer;
	int fd;

	for (size_t i = 0; i < NELEM(orders); i++) {
		if (strcmp(name, orders[i].name) != 0)
			continue;
		(void)ask(orders[i].version, orders[i].what, 1);
		fd = take_socket();
		memset(&answer, 0, sizeof(answer));
		while (poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, -1) == 1 &&
		       recv(fd, &answer, sizeof(answer), 0) == -1 && errno == EAGAIN)
			;
		answer.u.text[sizeof(answer.u.text) - 1] = '\0';
		tell(name, answer.kind == ANSWER_REFUSED || answer.kind == ANSWER_FORBIDDEN ? answer.u.text
											    : "no refusal");
	}
}

/* A connection that waits for an hour in close(), since nobody takes its bytes. */
static int lingering(void)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = 3600 };
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	static const char bytes[65536];
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (listen(listener, 1) == -1 || getsockname(listener, (struct sockaddr *)&address, &len) == -1 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1)
		exit(EXIT_FAILURE);
	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	return fd;
}

static void pass_descriptor(int to, const char *name, int fd)
{
	const struct msg msg = { .type = MSG_NONE };
	int r = msg_send(to, &msg, fd);

	if (r == 0)
		(void)close(fd); /* not the last */
	tell(name, r == 0 ? "passed" : strerror(-r));
}

/* Takes the sockets of its answers, so that there is room for the next, and reads none. Ends when the monitor
 * hangs up. */
static void flood(const char *name)
{
	struct msg msg;
	bool told = false, open = true;
	int fd;

	for (uint64_t i = 0; open; i++) {
		if (!ask(CTL_VERSION, CTL_SESSIONS, i)) {
			open = errno == EAGAIN;
			(void)poll(&(struct pollfd){ .fd = HTTP_QUESTIONS_FD, .events = POLLOUT }, 1, 10);
		}
		while (msg_receive(HTTP_ORDERS_FD, &msg, &fd) == 1) {
			fd_close(&fd);
			if (!told)
				tell(name, "answered");
			told = true;
		}
	}
}

static void act(const char *how, int descriptor)
{
	const char *name = strncmp(how, "free-", 5) == 0 ? how + 5 : how;

	give_order(name);
	if (strcmp(name, "piece-of-question") == 0)
		(void)!write(HTTP_QUESTIONS_FD, "x", 1);
	if (strcmp(name, "flood-of-questions") == 0)
		flood(name);
	if (strcmp(name, "descriptor-by-channel") == 0)
		pass_descriptor(HTTP_ORDERS_FD, name, descriptor);
	if (strcmp(name, "descriptor-by-answer") == 0) {
		(void)ask(CTL_VERSION, CTL_STATUS, 1);
		pass_descriptor(take_socket(), name, descriptor);
	}
	if (strcmp(name, "network-by-socket") == 0)
		(void)!socket(AF_INET, SOCK_STREAM, 0);
}

int main(void)
{
	static struct http_setup setup;
	char how[HTTP_TOKEN_MAX + 1] = "", why[HTTP_TOKEN_WHY_MAX];
	const char *what;
	int root, descriptor;

	if (read(HTTP_SETUP_FD, &setup, sizeof(setup)) != (ssize_t)sizeof(setup) ||
	    http_token_read(setup.token_file, how, why) < 0)
		return EXIT_FAILURE;
	how[strcspn(how, ".")] = '\0'; /* a token has a shortest length */
	(void)close(HTTP_SETUP_FD);
	descriptor = lingering();
	(void)signal(SIGPIPE, SIG_IGN);
	log_setup(setup.log_level, setup.log_format);
	root = fcntl(HTTP_ROOT_FD, F_GETFD) == -1 ? -1 : HTTP_ROOT_FD;
	if (strncmp(how, "free-", 5) != 0 && http_calls_sandbox(root, setup.uid, setup.gid, &what) < 0)
		return EXIT_FAILURE;
	act(how, descriptor);
	/* until the monitor hangs up */
	while (poll(&(struct pollfd){ .fd = HTTP_ORDERS_FD, .events = POLLIN }, 1, -1) == 1) {
		struct msg msg;
		int fd;

		if (msg_receive(HTTP_ORDERS_FD, &msg, &fd) <= 0)
			break;
		fd_close(&fd);
	}
	return EXIT_SUCCESS;
}
