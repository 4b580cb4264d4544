/*
 * A server that fails says so on the control connection (451), then ends its data as it
 * does after a whole file. The kernel may have both when a worker handles only the
 * data, and their end alone looks like success. The same holds for a client that sends
 * ABOR, or that dies, during an upload in the clear. So the end of the data waits until
 * the line that came before it has been read.
 */
#include "gateway/worker/last-look.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* Far longer than "226 Transfer complete." */
#define REPLY_PEEK 256

/*
 * One line that says that all is well is the usual case, and holds nothing up. Anything
 * else, the end or a reset among it, is for the control connection's owner to judge.
 */
static bool server_agrees(int fd)
{
	char text[REPLY_PEEK];
	ssize_t len = recv(fd, text, sizeof(text), MSG_PEEK | MSG_DONTWAIT);

	if (len == -1)
		return errno == EAGAIN || errno == EWOULDBLOCK;
	return len > 4 && text[0] == '2' && text[3] == ' ' &&
	       memchr(text, '\n', (size_t)len) == text + len - 1;
}

/* Under TLS only the owner can read what came. */
static bool client_is_silent(int fd)
{
	struct pollfd look = { .fd = fd, .events = POLLIN | POLLRDHUP };

	return poll(&look, 1, 0) == 0;
}

bool last_look(struct stream *control, bool upload)
{
	int fd = control->watch.fd;

	if (fd == -1 || (upload ? client_is_silent(fd) : server_agrees(fd)))
		return true;
	loop_again(control->loop, &control->watch);
	return false;
}
