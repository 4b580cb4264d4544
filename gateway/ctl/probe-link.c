/*
 * The control connection of probe.c: dials, reads replies with the parser that sessions
 * use, and makes the TLS handshake. It waits with poll(), and gives up after a time limit.
 */
#include "gateway/ctl/probe-link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "gateway/net/netsock.h"
#include "gateway/net/stream-tls.h"

/* Servers that look their clients up in the DNS take this long to greet. */
#define WAIT_MS 15000

/* Bytes of replies to one command; a server that sends more is not an FTP server. */
#define REPLY_BYTES_MAX (1 << 20)

static bool fail(struct probe_link *link, const char *what)
{
	(void)snprintf(link->error, sizeof(link->error), "%s", what);
	return false;
}

static bool await(struct probe_link *link, short event)
{
	struct pollfd poll_fd = { .fd = link->stream.watch.fd, .events = event };

	return poll(&poll_fd, 1, WAIT_MS) == 1 || fail(link, "no answer in time");
}

/* Every wait is in poll(), so the stream raises no events. */
static void on_event(struct watch *watch, uint32_t ready)
{
	(void)watch;
	(void)ready;
}

bool probe_link_dial(struct probe_link *link, const struct ip_endpoint *server)
{
	int fd, r = loop_init(&link->loop);

	stream_init(&link->stream, &link->loop, on_event);
	if (r < 0)
		return fail(link, strerror(-r));
	fd = netsock_dial(server, NULL, false);
	if (fd < 0)
		return fail(link, strerror(-fd));
	stream_adopt(&link->stream, &fd);
	if (!await(link, POLLOUT))
		return false;
	r = netsock_error(link->stream.watch.fd);
	return r == 0 || fail(link, strerror(-r));
}

/* Until all is written. */
static bool drain(struct probe_link *link)
{
	enum stream_io io;

	while ((io = stream_flush(&link->stream)) == STREAM_WAIT)
		if (!await(link, POLLOUT))
			return false;
	return io == STREAM_OK || fail(link, "the server has reset the connection");
}

bool probe_link_tls(struct probe_link *link, struct ssl_st *ssl)
{
	enum stream_io io = STREAM_WAIT;

	if (stream_tls_start(&link->stream, ssl, false) < 0)
		return fail(link, "not enough memory");
	if (link->len > 0)
		return fail(link, "the server has sent more in the clear than the reply to AUTH");
	while (io == STREAM_WAIT) {
		io = stream_tls_handshake(&link->stream);
		if (io == STREAM_WAIT && (!drain(link) || !await(link, POLLIN)))
			return false;
	}
	if (io == STREAM_RESET)
		return fail(link, stream_tls_reason());
	return io == STREAM_OK ? drain(link)
			       : fail(link, "the server has closed the connection in the handshake");
}

/* More bytes into the window. */
static bool receive(struct probe_link *link)
{
	uint8_t *to = link->window + link->len;
	size_t room = sizeof(link->window) - link->len, n = 0;
	enum stream_io io;

	if (room == 0)
		return fail(link, "the server sends a line that is too long");
	while ((io = stream_read(&link->stream, to, room, &n)) == STREAM_WAIT)
		if (!await(link, POLLIN))
			return false;
	if (io != STREAM_OK)
		return fail(link, io == STREAM_RESET ? "the server has reset the connection"
						     : "the server has closed the connection");
	link->len += n;
	return true;
}

static void add_line(struct probe_reply *reply, const char *text, size_t len)
{
	char *to = reply->lines[reply->nlines];

	if (reply->nlines == PROBE_LINES_MAX)
		return;
	if (len > PROBE_TEXT_MAX - 1)
		len = PROBE_TEXT_MAX - 1;
	memcpy(to, text, len);
	to[len] = '\0';
	for (char *at = to; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	reply->nlines++;
}

/* Take lines out of the window until a reply ends. False: more bytes are needed. */
static bool take_lines(struct probe_link *link, struct probe_reply *reply)
{
	enum ftp_reply_status status;
	struct ftp_reply line;

	do {
		status = link->len == 0 ? FTP_REPLY_MORE
					: ftp_reply_take(&link->parser, link->window, link->len, &line);
		if (status == FTP_REPLY_MORE)
			return false;
		if (status != FTP_REPLY_MALFORMED) {
			if (line.first)
				reply->nlines = 0;
			reply->code = line.code;
			if (!line.continues)
				add_line(reply, line.line + line.text, line.len - line.text);
		}
		link->len -= line.consumed;
		memmove(link->window, link->window + line.consumed, link->len);
	} while (status != FTP_REPLY_END || ftp_reply_is_preliminary(reply->code));
	return true;
}

bool probe_link_reply(struct probe_link *link, struct probe_reply *ret)
{
	size_t bytes = 0;

	ret->code = 0;
	ret->nlines = 0;
	link->parser = (struct ftp_reply_parser){ .lenient = true };
	while (!take_lines(link, ret)) {
		size_t before = link->len;

		if (bytes > REPLY_BYTES_MAX)
			return fail(link, "the server sends a reply that does not end");
		if (!receive(link)) {
			ret->code = 0;
			return false;
		}
		bytes += link->len - before;
	}
	return true;
}

bool probe_link_command(struct probe_link *link, const char *command, struct probe_reply *ret)
{
	char line[PROBE_TEXT_MAX];
	int len = snprintf(line, sizeof(line), "%s\r\n", command);

	ret->code = 0;
	ret->nlines = 0;
	if (stream_write(&link->stream, (const uint8_t *)line, (size_t)len) != STREAM_OK)
		return fail(link, "the server has reset the connection");
	return drain(link) && probe_link_reply(link, ret);
}

void probe_link_close(struct probe_link *link)
{
	/* OpenSSL resumes no session whose connection has ended without close_notify */
	if (link->stream.tls_up)
		(void)stream_finish(&link->stream);
	stream_close(&link->stream, false);
	loop_done(&link->loop);
}
