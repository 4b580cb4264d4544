/*
 * Asks the signer and waits. The worker stands still meanwhile, as it would if it
 * signed itself. The socket outlives signers: when one has died with a request in
 * hand, the next one announces itself, and the request is sent again.
 */
#include "gateway/key/link.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "gateway/base/loop.h"
#include "gateway/base/util.h"

/* How many signers may die from one request before the worker gives up. */
#define ATTEMPTS_MAX 10

/* How long a signer that has not answered in time gets no requests, unless it sends something. */
#define SILENCE_MS 30000
/* How many late packets are read at once. The rest are recognised when they are read. */
#define LEFTOVERS_MAX 64

static const char gone[] = "the signer and the keeper have ended; reload attlsd",
		  silent[] = "the signer does not answer";

int key_link_pair(int fds[static 2])
{
	const struct timeval wait = { .tv_sec = KEY_LINK_MAX_MS / 1000 };

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		return -errno;
	if (setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0)
		return 0;
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	return -EIO;
}

int key_link_init(struct key_link *link, int fd)
{
	*link = (struct key_link){ .fd = fd, .start_ms = KEY_LINK_MAX_MS };
	/* answers to a worker that died may still be in the socket: they must not fit */
	if (getrandom(&link->serial, sizeof(link->serial), 0) != (ssize_t)sizeof(link->serial))
		return -EIO;
	return 0;
}

static const char *send_request(const struct key_link *link, const struct key_request *request)
{
	ssize_t n;

	do {
		n = send(link->fd, request, key_request_bytes(request), MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n == -1 && errno == EINTR);
	if (n != -1)
		return NULL;
	return errno == EAGAIN ? "the signer does not read its requests" : gone;
}

/* Returns the answer's length, 0 when none came in time, -1 when none can come any more. */
static ssize_t receive(struct key_link *link)
{
	ssize_t n;

	do { /* with MSG_TRUNC, the length that was sent */
		n = recv(link->fd, &link->answer, sizeof(link->answer), MSG_TRUNC);
	} while (n == -1 && errno == EINTR);
	if (n == -1 && errno == EAGAIN)
		return 0;
	return n > 0 ? n : -1;
}

/*
 * Answers that came too late, and word from signers that have started since. Returns
 * whether there was anything.
 */
static bool drop_leftovers(const struct key_link *link)
{
	uint8_t byte;
	int n = 0;

	while (n < LEFTOVERS_MAX && recv(link->fd, &byte, sizeof(byte), MSG_DONTWAIT) > 0)
		n++;
	return n > 0;
}

/* One wait is enough for all the handshakes that follow: they would stop the worker one after the other. */
static const char *falls_silent(struct key_link *link)
{
	link->silent_until_ms = loop_clock_ms() + SILENCE_MS;
	return silent;
}

const char *key_link_ask(struct key_link *link, struct key_request *request)
{
	bool starts = request->ask == KEY_ASK_KNOWN && link->start_ms > KEY_LINK_MAX_MS;
	uint64_t until_ms = loop_clock_ms() + (starts ? link->start_ms : KEY_LINK_MAX_MS);
	const char *fault;
	int attempts = 1;

	if (drop_leftovers(link))
		link->silent_until_ms = 0;
	if (loop_clock_ms() < link->silent_until_ms)
		return silent;
	request->serial = ++link->serial;
	fault = send_request(link, request);
	while (fault == NULL) {
		const struct key_answer *answer = &link->answer;
		ssize_t n = receive(link);

		if (n == 0 && starts && loop_clock_ms() < until_ms)
			continue;
		if (n <= 0)
			return n == 0 ? falls_silent(link) : gone;
		if (!key_answer_is_whole(answer, (size_t)n))
			return "the signer's answer is malformed";
		if (answer->status == KEY_STATUS_STARTED) {
			if (attempts++ == ATTEMPTS_MAX || loop_clock_ms() > until_ms)
				return "every signer dies from this request";
			fault = send_request(link, request);
		} else if (answer->serial == request->serial) {
			return answer->status == KEY_STATUS_DONE ? NULL : key_status_text(answer->status);
		} else if (loop_clock_ms() > until_ms) {
			return falls_silent(link); /* it says something, but never this */
		} /* otherwise it is late: the answer to a request that was sent twice */
	}
	return fault;
}
