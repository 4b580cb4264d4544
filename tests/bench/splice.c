/*
 * A limit for make bench: what a relay that looks at nothing costs. One process,
 * epoll, splice(2) through a pipe in both directions.
 *
 *   splice PORT TO-PORT
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIPE_BYTES (256 * 1024)

struct way {
	int pipe[2];
	size_t held;
	bool ended;
};

struct pair {
	int fd[2];
	struct way way[2]; /* way[i] reads fd[i] and writes fd[1 - i] */
};

static int epoll_fd;
static struct sockaddr_in to = { .sin_family = AF_INET };

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void watch(int fd, void *ptr)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, .data.ptr = ptr };

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == -1)
		die("epoll_ctl");
}

/* False: the connection is broken. */
static bool move(struct pair *pair, int from)
{
	struct way *way = &pair->way[from];
	ssize_t n;

	for (;;) {
		bool full = false, drained = false; /* what may make room for more, without an event */

		if (!way->ended) {
			n = splice(pair->fd[from], NULL, way->pipe[1], NULL, PIPE_BYTES,
				   SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
			if (n == -1 && errno != EAGAIN && errno != ENOTCONN) /* the latter: still dialling */
				return false;
			if (n == 0)
				way->ended = true;
			if (n > 0)
				way->held += (size_t)n;
			full = n > 0;
		}
		if (way->held > 0) {
			n = splice(way->pipe[0], NULL, pair->fd[1 - from], NULL, way->held,
				   SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
			if (n == -1)
				return errno == EAGAIN || errno == ENOTCONN;
			way->held -= (size_t)n;
			drained = n > 0;
		}
		if (way->ended && way->held == 0) {
			(void)shutdown(pair->fd[1 - from], SHUT_WR);
			return true;
		}
		if (!full && !drained)
			return true;
	}
}

static void finish(struct pair *pair)
{
	for (int i = 0; i < 2; i++) {
		(void)close(pair->fd[i]);
		(void)close(pair->way[i].pipe[0]);
		(void)close(pair->way[i].pipe[1]);
	}
	pair->fd[0] = pair->fd[1] = -1; /* leaked: a few bytes, while events of this turn may point here */
}

static void take(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
		struct pair *pair = calloc(1, sizeof(*pair));

		if (pair == NULL)
			die("calloc");
		pair->fd[0] = fd;
		pair->fd[1] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (connect(pair->fd[1], (struct sockaddr *)&to, sizeof(to)) == -1 && errno != EINPROGRESS)
			die("connect");
		for (int i = 0; i < 2; i++) {
			if (pipe2(pair->way[i].pipe, O_NONBLOCK | O_CLOEXEC) == -1)
				die("pipe2");
			(void)fcntl(pair->way[i].pipe[1], F_SETPIPE_SZ, PIPE_BYTES);
			watch(pair->fd[i], pair);
		}
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct epoll_event events[64];
	int on = 1;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (argc != 3) {
		fputs("usage: splice PORT TO-PORT\n", stderr);
		return 2;
	}
	at.sin_addr.s_addr = to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	to.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (listener == -1 || bind(listener, (struct sockaddr *)&at, sizeof(at)) == -1 ||
	    listen(listener, 1024) == -1)
		die("listen");
	watch(listener, NULL);
	for (;;) {
		int n = epoll_wait(epoll_fd, events, 64, -1);

		for (int i = 0; i < n; i++) {
			struct pair *pair = events[i].data.ptr;

			if (pair == NULL)
				take(listener);
			else if (pair->fd[0] != -1 && (!move(pair, 0) || !move(pair, 1) ||
						       (pair->way[0].ended && pair->way[1].ended &&
							pair->way[0].held + pair->way[1].held == 0)))
				finish(pair);
		}
	}
}
