/*
 * Asks and waits. The process stands still meanwhile, as it would if it did the work itself.
 */
#include "gateway/base/ask-link.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "gateway/base/loop.h"
#include "gateway/base/util.h"

/* How many late packets are read at once. The rest are recognised when they are read. */
#define LEFTOVERS_MAX 64

ssize_t packet_read(int fd, void *buf, size_t size)
{
	ssize_t n;

	do {
		n = read(fd, buf, size);
	} while (n == -1 && errno == EINTR);
	return n;
}

ssize_t packet_write(int fd, const void *buf, size_t len)
{
	ssize_t n;

	do {
		n = write(fd, buf, len);
	} while (n == -1 && errno == EINTR);
	return n;
}

int ask_link_pair(int fds[static 2], unsigned ms, bool plain)
{
	const struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	int r = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		return -errno;
	if (setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == -1 ||
	    (plain && setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == -1))
		r = -errno;
	if (r < 0) {
		fd_close(&fds[0]);
		fd_close(&fds[1]);
	}
	return r;
}

int ask_link_init(struct ask_link *link, int fd, unsigned ms)
{
	*link = (struct ask_link){ .fd = fd, .ms = ms };
	return getrandom(&link->serial, sizeof(link->serial), 0) == (ssize_t)sizeof(link->serial) ? 0 : -EIO;
}

uint64_t ask_link_next(struct ask_link *link)
{
	if (++link->serial == 0)
		link->serial = 1;
	return link->serial;
}

/* One wait is enough for all the requests that follow: they would stop the process one after the other. */
static enum ask_result falls_silent(struct ask_link *link)
{
	link->silent_until_ms = loop_clock_ms() + ASK_LINK_SILENCE_MS;
	return ASK_SILENT;
}

static enum ask_result send_request(struct ask_link *link, const struct ask_question *ask)
{
	ssize_t n;

	if (link->plain) {
		n = packet_write(link->fd, ask->request, ask->request_bytes);
	} else {
		do {
			n = send(link->fd, ask->request, ask->request_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
		} while (n == -1 && errno == EINTR);
	}
	if (n != -1)
		return ASK_ANSWERED;
	if (errno != EAGAIN)
		return ASK_GONE;
	return link->plain ? falls_silent(link) : ASK_UNREAD;
}

/* Answers that came too late, and word from others that have started since. */
static void drop_leftovers(struct ask_link *link)
{
	uint8_t byte;

	for (int n = 0; n < LEFTOVERS_MAX && recv(link->fd, &byte, sizeof(byte), MSG_DONTWAIT) > 0; n++)
		link->silent_until_ms = 0;
}

static enum ask_result exchange(struct ask_link *link, const struct ask_question *ask)
{
	uint64_t until_ms = loop_clock_ms() + (ask->max_ms != 0 ? ask->max_ms : link->ms);
	enum ask_result result = send_request(link, ask);
	int attempts = 1;

	while (result == ASK_ANSWERED) {
		ssize_t n = packet_read(link->fd, ask->answer, ask->answer_size);

		if (n == -1 && errno == EAGAIN && ask->max_ms != 0 && loop_clock_ms() < until_ms)
			continue;
		if (n <= 0)
			return n == -1 && errno == EAGAIN ? falls_silent(link) : ASK_GONE;
		switch (ask->judge(ask->answer, (size_t)n, link->serial)) {
		case ASK_HEARD_ANSWER:
			return ASK_ANSWERED;
		case ASK_HEARD_NONSENSE:
			return ASK_MALFORMED;
		case ASK_HEARD_STARTED:
			if (attempts++ == ask->attempts || loop_clock_ms() > until_ms)
				return ASK_DIED;
			result = send_request(link, ask);
			break;
		case ASK_HEARD_LATE:
			if (loop_clock_ms() > until_ms)
				return falls_silent(link); /* it says something, but never this */
			break;
		}
	}
	return result;
}

enum ask_result ask_link_ask(struct ask_link *link, const struct ask_question *ask)
{
	if (!link->plain)
		drop_leftovers(link);
	return loop_clock_ms() < link->silent_until_ms ? ASK_LEFT_ALONE : exchange(link, ask);
}
