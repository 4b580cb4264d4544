/*
 * Reads the PROXY header of a connection from a load balancer, before its session
 * begins. It peeks into the socket's queue, so that it takes no byte after the
 * header, and then asks the monitor to admit the client.
 */
#include "gateway/worker/proxy-in.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/net/proxy-header.h"
#include "gateway/worker/session-audit.h"
#include "gateway/worker/session-end.h"
#include "gateway/worker/session-log.h"

/* The default of handshake_timeout, if the listener has no rule. */
#define HEADER_MS 10000

struct proxy_wait {
	size_t len;
	uint8_t bytes[PROXY_HEADER_MAX];
};

static bool is_reachable(const struct policy_rule *rule, const struct policy_listener *listener)
{
	for (size_t i = 0; i < rule->nlisteners; i++)
		if (rule->listeners[i] == listener)
			return true;
	return rule->nlisteners == 0;
}

/*
 * The rule is not known yet, so take the shortest handshake_timeout of all rules of
 * this listener.
 */
static uint32_t limit_ms(const struct session *session)
{
	const struct policy *policy = session->worker->policy;
	uint32_t least_ms = 0;

	for (size_t i = 0; i < policy->nrules; i++) {
		const struct tls_action *tls = policy->rules[i].tls; /* NULL: listeners without TLS */

		if (tls != NULL && is_reachable(&policy->rules[i], session->facts.listener) &&
		    (least_ms == 0 || tls->handshake_timeout_ms < least_ms))
			least_ms = tls->handshake_timeout_ms;
	}
	return least_ms != 0 ? least_ms : HEADER_MS;
}

/* End a session that has not begun. */
static void fail(struct session *session, const char *why)
{
	session_log(&session->facts, LOG_LEVEL_WARNING, "proxy-failed",
		    LOG_TEXT("listener", session->facts.listener->name), LOG_TEXT("reason", why));
	session_audit_refused_proxy(&session->facts, why);
	session_end(session, "proxy-header");
}

void proxy_in_start(struct session *session)
{
	struct loop *loop = session->client.loop;

	session->phase = PHASE_PROXY_HEADER;
	session->proxy_wait = calloc(1, sizeof(*session->proxy_wait));
	if (session->proxy_wait == NULL || loop_watch(loop, &session->client.watch, EPOLLIN) < 0 ||
	    loop_timer(loop, &session->phase_timer, limit_ms(session)) < 0)
		session_end(session, "no-memory");
}

/* The header is whole: the session is this client's, if the monitor lets it in. */
static void take_header(struct session *session, const struct proxy_header *header)
{
	struct msg request = { .type = MSG_SESSION_SOURCE, .session = session->facts.id };
	const struct ip_endpoint balancer = session->facts.remote;
	char text[IP_TEXT_MAX];

	/* HAProxy's checks with version 1 name the check's own connection, which no client can have */
	session->probe = header->own || ip_endpoint_equal(&header->source, &balancer);
	if (!header->own) {
		session->facts.proxied = true;
		session->facts.remote = header->source;
		session->facts.local = header->destination;
	}
	session_log(&session->facts, session_level(session), "proxy",
		    LOG_TEXT("peer", ip_endpoint_format(&balancer, text)),
		    LOG_TEXT("header", session->probe ? "local" : "client"));
	free(session->proxy_wait);
	session->proxy_wait = NULL;
	session->phase = PHASE_PROXY_ADMISSION;
	(void)loop_watch(session->client.loop, &session->client.watch, 0); /* removing cannot fail */
	if (session->probe)
		request.type = MSG_SESSION_PROBE;
	else
		request.remote = session->facts.remote;
	uplink_send(&session->worker->uplink, &request);
}

/*
 * Peek before reading: bytes after the header belong to TLS, or are a command.
 * Returns whether there may be more.
 */
static bool read_some(struct session *session)
{
	struct proxy_wait *wait = session->proxy_wait;
	uint8_t *room = wait->bytes + wait->len;
	struct proxy_header header;
	enum proxy_parse parse;
	const char *why;
	size_t used;
	ssize_t n = recv(session->client.watch.fd, room, sizeof(wait->bytes) - wait->len, MSG_PEEK);

	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return errno == EINTR;
	if (n <= 0 && wait->len == 0) { /* a check of the balancer's that sends no header */
		session->probe = true;
		session_end(session, "client-closed");
		return false;
	}
	if (n <= 0) {
		fail(session, n == 0 ? "closed before its header" : strerror(errno));
		return false;
	}
	parse = proxy_header_parse(wait->bytes, wait->len + (size_t)n, &header, &why);
	if (parse == PROXY_PARSE_BAD) {
		fail(session, why);
		return false;
	}
	used = parse == PROXY_PARSE_OK ? header.consumed - wait->len : (size_t)n;
	if (recv(session->client.watch.fd, room, used, 0) != (ssize_t)used) {
		fail(session, "lost"); /* cannot fail: the bytes were peeked at */
		return false;
	}
	wait->len += used;
	if (parse == PROXY_PARSE_OK)
		take_header(session, &header);
	return parse == PROXY_PARSE_MORE;
}

void proxy_in_step(struct session *session)
{
	while (session->phase == PHASE_PROXY_HEADER && read_some(session))
		;
}

bool proxy_in_answered(struct session *session, const struct msg *msg)
{
	char line[FTP_LOCAL_LINE_MAX];
	size_t len;

	if (session->phase != PHASE_PROXY_ADMISSION)
		return false;
	session->phase = PHASE_COMMANDS;
	loop_timer_stop(session->client.loop, &session->phase_timer);
	if (msg->type == MSG_SESSION_ADMITTED)
		return true;
	len = ftp_local_line(FTP_LOCAL_TOO_MANY_CONNECTIONS, REPLY_STYLE_RFC, line);
	if (session->facts.listener->tls != LISTENER_IMPLICIT)
		(void)stream_write(&session->client, (const uint8_t *)line, len); /* or goes without */
	session_end(session, "refused");
	return false;
}

void proxy_in_timeout(struct session *session)
{
	fail(session, session->phase == PHASE_PROXY_HEADER ? "no complete header in time"
							   : "no answer from the monitor in time");
}
