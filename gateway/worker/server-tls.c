/*
 * TLS on the control connection to the server, which is verified before it gets a command.
 * A handshake that fails, or bytes in the clear where the handshake should be, end the
 * session: nothing is sent in the clear instead.
 */
#include "gateway/worker/server-tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/net/stream-tls-cause.h"
#include "gateway/net/stream-tls.h"
#include "gateway/worker/server-choice.h"
#include "gateway/worker/server-tls-state.h"
#include "gateway/worker/session-audit.h"
#include "gateway/worker/session-log.h"
#include "gateway/worker/session-summary.h"
#include "gateway/worker/tally.h"

/*
 * After CCC a server sends its close_notify at once, if at all. One that sends none
 * waits for a command in the clear, which it gets after this time.
 */
#define CCC_WAIT_MS 1000

static const struct policy_backend *backend_of(const struct session *session)
{
	return session->facts.rule->backend;
}

static struct tlsctx_known_key key_of(const struct session *session)
{
	return (struct tlsctx_known_key){ .rule = session->facts.rule,
					  .host = session->facts.server_tls->host,
					  .server = session->facts.server };
}

int server_tls_prepare(struct session *session)
{
	struct server_tls *tls = session->facts.server_tls;

	if (backend_of(session)->tls == NULL)
		return 0;
	if (tls == NULL)
		tls = calloc(1, sizeof(*tls));
	if (tls == NULL)
		return -ENOMEM;
	session->facts.server_tls = tls;
	server_tls_forget(session);
	tls->ctx = tlsctx_find_client(session->worker->tlsctx, backend_of(session)->tls);
	tls->host = policy_server_name(session->facts.rule, session->facts.named, &session->facts.server.addr,
				       tls->address);
	return tls->host == NULL ? -EACCES : 0;
}

/* The session cannot go on. The client hears why once it can, see server_gone() of control.c. */
static void fail(struct session *session, enum ftp_signal failure, const char *reason)
{
	struct server_tls *tls = session->facts.server_tls;
	const char *shown = session->server.ssl != NULL ? tlsctx_client_shown(session->server.ssl) : "";
	char text[IP_TEXT_MAX];

	session_log(&session->facts, LOG_LEVEL_ERROR, "server-tls-failed",
		    LOG_TEXT("backend", backend_of(session)->name),
		    LOG_TEXT("address", ip_endpoint_format(&session->facts.server, text)),
		    LOG_TEXT("hostname", tls->host), LOG_TEXT("reason", reason),
		    LOG_TEXT(shown[0] != '\0' ? "sha256" : "", shown), LOG_ALERT(&session->server, "server"));
	session_audit_tls_failed(&session->facts, AUDIT_LEG_SERVER, false, reason, shown);
	if (server_choice_has_more(session)) {
		server_choice_next(session, SERVER_FAILURE_TLS, reason);
		return;
	}
	server_choice_report(session, SERVER_FAILURE_TLS);
	tls->failed = true;
	tls->failure = failure;
	session->server_in.start = session->server_in.end;
	inbuf_tidy(&session->server_in);
	stream_close(&session->server, false);
	loop_timer_stop(session->server.loop, &session->server_timer);
	session->server_state = SERVER_NONE;
	session->server_eof = true;
}

/* What the right server may still lack. NULL: nothing. */
static const char *fault_of(const struct session *session)
{
	if (!session->facts.server_tls->shown.present)
		return "the server has shown no certificate";
	/* policy admits no such cipher where the level is private; what was negotiated has the last word */
	if (backend_of(session)->security.ctrlconn == SECURE_PRIVATE &&
	    stream_tls_level(&session->server) != SECURE_PRIVATE)
		return "the cipher does not encrypt";
	return NULL;
}

static void log_up(const struct session *session)
{
	const struct server_tls *tls = session->facts.server_tls;
	char text[IP_TEXT_MAX], sha256[IDENTITY_SHA256_TEXT];

	session_log(
	    &session->facts, LOG_LEVEL_INFO, "server-tls", LOG_TEXT("backend", backend_of(session)->name),
	    LOG_TEXT("address", ip_endpoint_format(&session->facts.server, text)),
	    LOG_TEXT("hostname", tls->host), LOG_TEXT("version", stream_tls_version(&session->server)),
	    LOG_TEXT("cipher", stream_tls_cipher(&session->server)),
	    LOG_TEXT("level", secure_level_letter(stream_tls_level(&session->server))),
	    LOG_TEXT("group", stream_tls_group(&session->server)),
	    LOG_TEXT("resumed", stream_tls_resumed(&session->server) ? "yes" : "no"),
	    LOG_TEXT("issuer", tls->shown.issuer != NULL ? tls->shown.issuer : ""),
	    LOG_TEXT("sha256", identity_sha256(&tls->shown, sha256)));
}

static void tls_is_up(struct session *session)
{
	struct server_tls *tls = session->facts.server_tls;
	const char *fault;
	int r = identity_get(&session->server, &tls->shown);

	fault = r < 0 ? strerror(-r) : fault_of(session);
	if (fault == NULL && loop_set_bulk(session->server.loop, &session->server.watch, false) < 0)
		fault = strerror(ENOMEM);
	if (fault != NULL) {
		tally_handshake_failed(FTP_SIDE_SERVER, false, "certificate");
		fail(session, FTP_SIGNAL_SERVER_TLS_FAILED, fault);
		return;
	}
	tally_handshake(FTP_SIDE_SERVER, false, &session->server);
	log_up(session);
	session_summary_tls(&session->facts, AUDIT_LEG_SERVER, false, &session->server, &tls->shown);
	loop_timer_stop(session->server.loop, &session->server_timer);
	session->server_state = tls->greeted ? SERVER_UP : SERVER_GREETING;
	if (tls->greeted)
		server_choice_settle(session);
	if (tls->greeted)
		ftp_machine_signal(&session->machine, FTP_SIGNAL_SERVER_TLS_UP, &session->worker->out);
	else if (loop_timer(session->server.loop, &session->server_timer,
			    server_choice_greeting_ms(session)) < 0)
		fail(session, FTP_SIGNAL_SERVER_TLS_FAILED, strerror(ENOMEM));
}

static void shake_hands(struct session *session)
{
	switch (stream_tls_handshake(&session->server)) {
	case STREAM_OK:
		tls_is_up(session);
		break;
	case STREAM_WAIT:
		break;
	case STREAM_CLEAN:
	case STREAM_TRUNCATED:
		tally_handshake_failed(FTP_SIDE_SERVER, false, "closed");
		fail(session, FTP_SIGNAL_SERVER_TLS_FAILED, "the server has closed the connection");
		break;
	case STREAM_RESET:
		tally_handshake_failed(FTP_SIDE_SERVER, false, stream_tls_cause());
		fail(session, FTP_SIGNAL_SERVER_TLS_FAILED, stream_tls_reason());
		break;
	}
}

static void begin(struct session *session, bool greeted)
{
	const struct tls_action *action = backend_of(session)->tls;
	struct server_tls *tls = session->facts.server_tls;
	const struct tlsctx_known_key key = key_of(session);
	struct ssl_st *ssl = tlsctx_client_new(tls->ctx, TLSCTX_CONTROL, tls->host,
					       tlsctx_known_find(session->worker->known, &key));

	tls->greeted = greeted;
	/* a handshake takes long, so established sessions go first */
	if (ssl == NULL || stream_tls_start(&session->server, ssl, false) < 0 ||
	    loop_set_bulk(session->server.loop, &session->server.watch, true) < 0 ||
	    loop_timer(session->server.loop, &session->server_timer, action->handshake_timeout_ms) < 0) {
		fail(session, FTP_SIGNAL_SERVER_TLS_FAILED, strerror(ENOMEM));
		return;
	}
	session->server_state = SERVER_HANDSHAKE;
	shake_hands(session);
}

bool server_tls_connected(struct session *session)
{
	const struct server_security *security = &backend_of(session)->security;

	if (session->facts.server_tls == NULL || security->mechanism != SECURE_MECHANISM_IMPLICIT ||
	    security->secureimplicitzos)
		return false;
	begin(session, false);
	return true;
}

void server_tls_start(struct session *session)
{
	outbuf_flush(&session->worker->commands, &session->server); /* AUTH goes in the clear, and first */
	/* RFC 4217 4.2 has nothing between 234 and the handshake; what is here may come from anybody */
	if (inbuf_len(&session->server_in) > 0)
		fail(session, FTP_SIGNAL_SERVER_INJECTED, "bytes in the clear before the handshake");
	else
		begin(session, true);
}

void server_tls_stop(struct session *session, bool notify)
{
	struct server_tls *tls = session->facts.server_tls;

	if (inbuf_len(&session->server_in) > 0 || stream_tls_has_pending(&session->server)) {
		fail(session, FTP_SIGNAL_SERVER_TLS_FAILED, "replies under TLS after the reply to CCC");
		return;
	}
	outbuf_flush(&session->worker->commands, &session->server);
	tlsctx_follow_control(&tls->sessions, session->server.ssl);
	if (notify)
		stream_tls_notify(&session->server);
	(void)stream_flush(&session->server); /* the next read sees a broken stream */
	stream_tls_tx_clear(&session->server);
	session->server_state = SERVER_LEAVING_TLS;
	/* a server that reads ahead would take a command in the clear for a record */
	tls->holding = notify && loop_timer(session->server.loop, &session->server_timer, CCC_WAIT_MS) == 0;
	tally_cleared(FTP_SIDE_SERVER, true);
	session_log(&session->facts, LOG_LEVEL_INFO, "server-tls-cleared", LOG_END);
	session_audit(&session->facts, "tls-cleared", AUDIT_TEXT("leg", "server"));
}

void server_tls_look(struct session *session)
{
	if (session->server.ssl != NULL && stream_tls_has_failed())
		fail(session, FTP_SIGNAL_SERVER_TLS_FAILED, stream_tls_reason());
}

bool server_tls_holds(struct session *session, const char *text, size_t len)
{
	struct server_tls *tls = session->facts.server_tls;

	if (tls == NULL || !tls->holding || len > sizeof(tls->held))
		return false;
	memcpy(tls->held, text, len);
	tls->held_len = len;
	return true;
}

static void send_held(struct session *session)
{
	struct server_tls *tls = session->facts.server_tls;

	tls->holding = false;
	if (tls->held_len > 0)
		outbuf_add(&session->worker->commands, &session->server, tls->held, tls->held_len, true);
	tls->held_len = 0;
}

static void leave(struct session *session)
{
	switch (stream_tls_leave(&session->server, false)) {
	case STREAM_OK:
		session->server_state = SERVER_UP;
		loop_timer_stop(session->server.loop, &session->server_timer);
		send_held(session);
		break;
	case STREAM_WAIT:
		break;
	case STREAM_CLEAN:
	case STREAM_TRUNCATED:
		session->server_state = SERVER_UP;
		session->server_eof = true;
		break;
	case STREAM_RESET:
		fail(session, FTP_SIGNAL_SERVER_TLS_FAILED, "data under TLS after CCC");
		break;
	}
}

void server_tls_step(struct session *session)
{
	if (session->server_state == SERVER_HANDSHAKE)
		shake_hands(session);
	else if (session->server_state == SERVER_LEAVING_TLS)
		leave(session);
}

void server_tls_timeout(struct session *session)
{
	if (session->server_state == SERVER_LEAVING_TLS) {
		send_held(session);
		return;
	}
	tally_handshake_failed(FTP_SIDE_SERVER, false, "timeout");
	fail(session, FTP_SIGNAL_SERVER_TLS_FAILED, "the handshake took longer than handshake_timeout");
}

void server_tls_logged_in(struct session *session)
{
	struct server_tls *tls = session->facts.server_tls;
	struct tlsctx_known_key key;

	if (tls == NULL)
		return;
	key = key_of(session);
	tlsctx_follow_control(&tls->sessions, session->server.ssl);
	tlsctx_known_put(session->worker->known, &key, &tls->sessions);
}

bool server_tls_has_failed(const struct session *session, enum ftp_signal *ret_signal)
{
	const struct server_tls *tls = session->facts.server_tls;

	if (tls == NULL || !tls->failed)
		return false;
	*ret_signal = tls->failure;
	return true;
}

void server_tls_finish(struct session *session)
{
	/* part of a command must not seem to end there */
	if (session->server.tls_up && stream_is_drained(&session->server))
		(void)stream_finish(&session->server); /* a server that is gone makes it a no-op */
}

void server_tls_forget(struct session *session)
{
	struct server_tls *tls = session->facts.server_tls;

	if (tls == NULL)
		return;
	identity_done(&tls->shown);
	tlsctx_follow_done(&tls->sessions);
	tls->greeted = tls->failed = tls->holding = false;
	tls->held_len = 0;
}

void server_tls_free(struct session *session)
{
	server_tls_forget(session);
	free(session->facts.server_tls);
	session->facts.server_tls = NULL;
}
