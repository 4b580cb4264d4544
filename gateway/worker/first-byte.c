/*
 * Looks at a client's first byte before its session begins, in two cases.
 * Listeners with `tls: auto` serve clients with implicit and with explicit TLS (z/OS:
 * TTLS_ALLOW_HSTIMEOUT). A client with implicit TLS sends its ClientHello at once; the
 * other kind says nothing until it has read the greeting. The byte is only looked
 * at, and OpenSSL or the line reader gets it afterwards. And whoever is known to connect
 * and close without a byte (probers.c) gets a moment for that before a server is dialled.
 */
#include "gateway/worker/first-byte.h"

#include <errno.h>
#include <sys/socket.h>

#include "gateway/base/util.h"
#include "gateway/worker/session-end.h"

/* RFC 8446 5.1: a handshake record. No FTP command begins with it. */
#define TLS_HANDSHAKE_RECORD 0x16

enum first_byte { FIRST_BYTE_NONE = 0, FIRST_BYTE_TLS, FIRST_BYTE_OTHER };

/* An end counts as another byte: the line reader will see it. */
static enum first_byte look(const struct session *session)
{
	unsigned char byte;
	ssize_t n;

	do {
		n = recv(session->client.watch.fd, &byte, 1, MSG_PEEK);
	} while (n == -1 && errno == EINTR);
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return FIRST_BYTE_NONE;
	return n == 1 && byte == TLS_HANDSHAKE_RECORD ? FIRST_BYTE_TLS : FIRST_BYTE_OTHER;
}

static void decide(struct session *session, bool implicit)
{
	session->client.watch.fn = session->after_first_byte;
	session->phase = PHASE_COMMANDS;
	if (session->facts.listener->tls == LISTENER_AUTO) {
		session->facts.implicit = implicit;
		session->may_turn_implicit = !implicit;
	}
	loop_timer_stop(session->client.loop, &session->phase_timer);
	session->begin(session);
}

static void on_first_byte(struct watch *watch, uint32_t ready)
{
	struct session *session = CONTAINER_OF(watch, struct session, client.watch);
	enum first_byte byte = look(session);

	(void)ready;
	if (byte != FIRST_BYTE_NONE)
		decide(session, byte == FIRST_BYTE_TLS);
}

void first_byte_await(struct session *session, uint64_t limit_ms, void (*begin)(struct session *session))
{
	struct loop *loop = session->client.loop;

	session->begin = begin;
	session->after_first_byte = session->client.watch.fn;
	session->client.watch.fn = on_first_byte;
	session->phase = PHASE_FIRST_BYTE;
	if (loop_watch(loop, &session->client.watch, EPOLLIN) < 0 ||
	    loop_timer(loop, &session->phase_timer, limit_ms) < 0)
		session_end(session, "no-memory");
}

void first_byte_timeout(struct session *session)
{
	decide(session, false);
}

bool first_byte_is_tls(struct session *session)
{
	enum first_byte byte = session->may_turn_implicit ? look(session) : FIRST_BYTE_NONE;

	if (byte == FIRST_BYTE_OTHER)
		session->may_turn_implicit = false;
	return byte == FIRST_BYTE_TLS && session->facts.rule->ftp->secureimplicitzos;
}
