/*
 * A server that fails says so on the control connection (451), then ends its data as it
 * does after a whole file. The kernel may have both when a worker handles only the
 * data, and their end alone looks like success. The same holds for a client that sends
 * ABOR, or that dies, during an upload in the clear. So the end of the data waits until
 * the lines that came before it have been looked at, those in the session's buffer too.
 */
#include "gateway/worker/last-look.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/net/linebuf.h"

/* Far longer than "226 Transfer complete." */
#define REPLY_PEEK 256

/*
 * One line that says that all is well is the usual case, and holds nothing up. Anything
 * else is for the control connection's owner to judge.
 */
static bool is_success(const char *text, size_t len)
{
	return len > 4 && text[0] == '2' && text[3] == ' ' && memchr(text, '\n', len) == text + len - 1;
}

/* The end or a reset of the connection is no success, either. */
static bool server_agrees(int fd)
{
	char text[REPLY_PEEK];
	ssize_t len = recv(fd, text, sizeof(text), MSG_PEEK | MSG_DONTWAIT);

	if (len == -1)
		return errno == EAGAIN || errno == EWOULDBLOCK;
	return is_success(text, (size_t)len);
}

/* Under TLS only the owner can read what came. */
static bool client_is_silent(int fd)
{
	struct pollfd look = { .fd = fd, .events = POLLIN | POLLRDHUP };

	return poll(&look, 1, 0) == 0;
}

/* A reply to the transfer command may bring the failure with it, and the data be here before both. */
static bool server_agreed(const struct inbuf *unread)
{
	return unread == NULL || inbuf_len(unread) == 0 ||
	       is_success((const char *)inbuf_at(unread), inbuf_len(unread));
}

bool last_look(struct stream *control, const struct inbuf *unread, bool upload)
{
	int fd = control->watch.fd;

	if (fd == -1 || (upload ? client_is_silent(fd) : server_agreed(unread) && server_agrees(fd)))
		return true;
	loop_again(control->loop, &control->watch);
	return false;
}
