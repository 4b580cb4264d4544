/*
 * Asks the acceptor and waits; the worker stands still meanwhile, as it would if it looked
 * at the ticket itself. A request that an acceptor dies from is not sent to the next one.
 */
#include "gateway/gssapi/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "gateway/base/loop.h"
#include "gateway/base/util.h"

#define WAIT_S 3
/* How long an acceptor that has not answered in time gets no requests. */
#define SILENCE_MS 30000

struct gssapi_link {
	int fd;
	struct gssapi_acceptor *acceptor;
	uint64_t serial;
	uint64_t silent_until_ms; /* 0: it has answered */
	struct gssapi_request request;
	struct gssapi_answer answer;
};

int gssapi_link_pair(int fds[static 2])
{
	const struct timeval wait = { .tv_sec = WAIT_S };

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		return -errno;
	if (setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0)
		return 0;
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	return -EIO;
}

int gssapi_link_open(int fd, struct gssapi_acceptor *acceptor, struct gssapi_link **ret_link)
{
	struct gssapi_link *link = calloc(1, sizeof(*link));

	/* answers to a worker that died may still be in the socket: they must not fit */
	if (link == NULL ||
	    getrandom(&link->serial, sizeof(link->serial), 0) != (ssize_t)sizeof(link->serial)) {
		free(link);
		gssapi_acceptor_close(&acceptor);
		return -ENOMEM;
	}
	link->fd = fd;
	link->acceptor = acceptor;
	*ret_link = link;
	return 0;
}

void gssapi_link_close(struct gssapi_link **link)
{
	if (*link == NULL)
		return;
	gssapi_link_forget(*link);
	gssapi_acceptor_close(&(*link)->acceptor);
	free(*link);
	*link = NULL;
}

/* NULL when link->answer is the answer, otherwise why there is none. */
static const char *exchange(struct gssapi_link *link)
{
	const uint64_t until_ms = loop_clock_ms() + WAIT_S * 1000;
	ssize_t n;

	do {
		n = send(link->fd, &link->request, gssapi_request_bytes(&link->request),
			 MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return errno == EAGAIN ? "the acceptor does not read its requests"
				       : "the acceptor has ended; reload attlsd";
	do { /* with MSG_TRUNC, the length that was sent */
		n = recv(link->fd, &link->answer, sizeof(link->answer), MSG_TRUNC);
		if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
			return "the acceptor has ended; reload attlsd";
		if (n > 0 && !gssapi_answer_is_whole(&link->answer, (size_t)n))
			return "the acceptor's answer is malformed";
		if (n > 0 && link->answer.serial == 0)
			return "the acceptor has been started again";
		if (n > 0 && link->answer.serial == link->request.serial)
			return NULL;
		/* otherwise it is the late answer to an earlier request */
	} while (n != -1 || errno == EINTR ? loop_clock_ms() < until_ms : false);
	link->silent_until_ms = loop_clock_ms() + SILENCE_MS;
	return "the acceptor does not answer";
}

/* What came too late, or says that an acceptor has started. */
static void drop_leftovers(struct gssapi_link *link)
{
	uint8_t byte;

	while (recv(link->fd, &byte, sizeof(byte), MSG_DONTWAIT) > 0)
		link->silent_until_ms = 0;
}

const struct gssapi_answer *gssapi_link_ask(struct gssapi_link *link, uint64_t half, const uint8_t *token,
					    size_t len, const char **ret_why)
{
	struct gssapi_request *request = &link->request;

	if (++link->serial == 0)
		link->serial = 1;
	request->serial = link->serial;
	request->half = half;
	request->len = (uint32_t)len;
	memcpy(request->token, token, len);
	*ret_why = NULL;
	if (link->fd == -1) {
		gssapi_acceptor_accept(link->acceptor, request, &link->answer);
		return &link->answer;
	}
	drop_leftovers(link);
	*ret_why = loop_clock_ms() < link->silent_until_ms ? "the acceptor does not answer" : exchange(link);
	return *ret_why == NULL ? &link->answer : NULL;
}

void gssapi_link_forget(struct gssapi_link *link)
{
	explicit_bzero(&link->answer, sizeof(link->answer));
}
