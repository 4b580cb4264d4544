/*
 * TLS on the client's control connection. Bytes received in the clear before a
 * handshake must not count as commands under TLS, and bytes received under TLS after
 * CCC must not count as commands in the clear.
 */
#include "gateway/worker/control-tls.h"
#include "gateway/worker/would-refuse.h"

#include <string.h>
#include <sys/random.h>

#include "gateway/base/log.h"
#include "gateway/net/stream-tls-cause.h"
#include "gateway/net/stream-tls.h"
#include "gateway/tls/tlsctx-user.h"
#include "gateway/tls/users.h"
#include "gateway/worker/session-end.h"
#include "gateway/worker/session-habits.h"
#include "gateway/worker/session-log.h"
#include "gateway/worker/session-summary.h"
#include "gateway/worker/tally.h"

#define MS_PER_S 1000

static void violation(struct session *session, const char *reason)
{
	session->worker->replies.len = 0; /* drop all replies and commands that are not sent yet */
	session->worker->commands.len = 0;
	session_end(session, reason);
}

/* Find out from its certificate who the client is. */
static void identify(struct session *session)
{
	const struct tls_action *action = session->facts.rule->tls;
	struct ftp_identity known = { .server_name = stream_tls_server_name(&session->client) };
	bool needs_user =
	    action->role == ROLE_SERVER_WITH_CLIENT_AUTH && action->client_auth_type == CLIENT_AUTH_SAFCHECK;
	char sha256[IDENTITY_SHA256_TEXT];
	bool one_user;

	identity_done(&session->facts.identity); /* the identity of a TLS session before CCC or REIN */
	if (identity_get(&session->client, &session->facts.identity) < 0) {
		session_end(session, "no-memory");
		return;
	}
	one_user = users_identify(session->worker->users, &session->facts.identity,
				  session->facts.rule->backend, &known, &session->facts.mapped);
	if (session->facts.identity.present)
		session_log(&session->facts, LOG_LEVEL_INFO, "client-certificate",
			    LOG_TEXT("subject", session->facts.identity.subject),
			    LOG_TEXT("issuer", session->facts.identity.issuer),
			    LOG_TEXT("serial", session->facts.identity.serial),
			    LOG_TEXT("sha256", identity_sha256(&session->facts.identity, sha256)),
			    LOG_TEXT("verified", session->facts.identity.verified ? "yes" : "no"),
			    LOG_TEXT("user", known.user != NULL ? known.user : ""),
			    LOG_TEXT("users", known.user != NULL ? "one"
					      : one_user	 ? "none"
								 : "several"));
	session_summary_tls(&session->facts, AUDIT_LEG_CLIENT, false, &session->client,
			    &session->facts.identity);
	if (needs_user && known.user == NULL) /* AT-TLS return code 5002 */
		session_end(session, "certificate-unknown");
	else
		ftp_machine_identify(&session->machine, &known);
}

/* A handshake is done: log it, bind the TLS session to this session, and tell the machine. */
static void tls_is_up(struct session *session)
{
	const char *name = stream_tls_server_name(&session->client);
	char alpn[STREAM_TLS_ALPN_MAX];

	session->phase = PHASE_COMMANDS;
	loop_timer_stop(session->client.loop, &session->phase_timer);
	tlsctx_bind(session->client.ssl);
	session_habits_tls_up(session);
	tlsctx_sessions_keep(&session->tls_sessions, TLSCTX_CONTROL, session->client.ssl);
	tally_handshake(FTP_SIDE_CLIENT, false, &session->client);
	session_log(&session->facts, session_level(session), "tls",
		    LOG_TEXT("version", stream_tls_version(&session->client)),
		    LOG_TEXT("cipher", stream_tls_cipher(&session->client)),
		    LOG_TEXT("level", secure_level_letter(stream_tls_level(&session->client))),
		    LOG_TEXT("group", stream_tls_group(&session->client)),
		    LOG_TEXT("resumed", stream_tls_resumed(&session->client) ? "yes" : "no"),
		    LOG_TEXT(name != NULL ? "sni" : "", name),
		    LOG_TEXT(stream_tls_alpn(&session->client, alpn)[0] != '\0' ? "alpn" : "", alpn));
	identify(session);
	if (session->logged_in && loop_set_bulk(session->client.loop, &session->client.watch, false) < 0)
		session_end(session, "no-memory");
	if (session->ended)
		return;
	ftp_machine_signal(&session->machine, FTP_SIGNAL_TLS_UP, &session->worker->out);
	session->facts.has_user_binding = false; /* of a login before REIN */
	session->ticket_ms = session->client.loop->now_ms;
	/* policy admits no such cipher where the level is private; what was negotiated has the last word */
	if (session->facts.rule->ftp->secure_ctrlconn == SECURE_PRIVATE &&
	    stream_tls_level(&session->client) != SECURE_PRIVATE)
		ftp_machine_signal(&session->machine, FTP_SIGNAL_TLS_SAFE, &session->worker->out);
	else if (session_reuse_is_required(session->facts.rule->ftp->secure_session_reuse) &&
		 tlsctx_lacks_extended_master_secret(session->client.ssl) &&
		 facts_are_audited(&session->facts))
		would_refuse(&session->facts, "secure_session_reuse", "",
			     "TLS 1.2 without extended master secret");
	else if (session_reuse_is_required(session->facts.rule->ftp->secure_session_reuse) &&
		 tlsctx_lacks_extended_master_secret(session->client.ssl))
		ftp_machine_signal(&session->machine, FTP_SIGNAL_TLS_UNBOUND, &session->worker->out);
}

/*
 * A client uses each TLS 1.3 ticket for one connection only (RFC 8446 C.4), so a server
 * that requires tickets must supply them. They go out on the control connection,
 * because a client that only uploads does not read its data connection.
 */
void control_tls_renew_ticket(struct session *session)
{
	session->data.legs.ticket_due = false;
	if (session->phase == PHASE_COMMANDS && session->client.tls_up && !session->client.tx_clear &&
	    session->facts.rule->ftp->secure_session_reuse != SESSION_REUSE_NONE &&
	    stream_tls_renew_ticket(&session->client))
		session->ticket_ms = session->client.loop->now_ms;
}

void control_tls_logged_in(struct session *session)
{
	struct facts *facts = &session->facts;

	/* a name that was cut off may be that of two users */
	facts->has_user_binding =
	    facts->rule->ftp->secure_session_reuse == SESSION_REUSE_REQUIRED_USER &&
	    strlen(session->user) < sizeof(session->user) - 1 &&
	    tlsctx_user_binding(session->worker->user_key, facts->rule->name, session->user,
				&facts->remote.addr, facts->user_binding);
	if (!facts->has_user_binding || !session->client.tls_up)
		return;
	tlsctx_reuse_user(session->client.ssl, facts->user_binding);
	control_tls_renew_ticket(session); /* those from before the login name no user */
}

void control_tls_look_at_ticket(struct session *session)
{
	uint64_t age_ms = session->client.loop->now_ms - session->ticket_ms;

	if (!session->client.tls_up)
		return;
	if (age_ms > (uint64_t)session->facts.rule->tls->session_timeout_s * MS_PER_S / 2)
		session->data.legs.ticket_due = true;
}

/*
 * A client that sends nothing to an implicit listener usually expects explicit TLS,
 * and waits for a greeting.
 */
static void handshake_over(struct session *session, const char *reason)
{
	bool silent = session->facts.implicit && !stream_tls_has_begun(&session->client);

	session_end(session, silent ? "no-tls-begun" : reason);
}

static void tls_handshake(struct session *session)
{
	switch (stream_tls_handshake(&session->client)) {
	case STREAM_OK:
		tls_is_up(session);
		break;
	case STREAM_WAIT:
		break;
	case STREAM_CLEAN:
	case STREAM_TRUNCATED:
		tally_handshake_failed(FTP_SIDE_CLIENT, false, "closed");
		handshake_over(session, "handshake-abandoned");
		break;
	case STREAM_RESET:
		tally_handshake_failed(FTP_SIDE_CLIENT, false, stream_tls_cause());
		session_log(&session->facts, session_level(session), "tls-failed",
			    LOG_TEXT("reason", stream_tls_reason()), LOG_ALERT(&session->client, "client"));
		session_audit_tls_failed(&session->facts, AUDIT_LEG_CLIENT, false, stream_tls_reason(), NULL);
		session_end(session, "handshake-failed");
		break;
	}
}

void control_tls_start(struct session *session)
{
	struct facts *facts = &session->facts;
	struct ssl_st *ssl = NULL;

	/* after REIN, the tickets of the last TLS session, and of its user, are those of another one */
	if (getrandom(facts->binding, sizeof(facts->binding), 0) == (ssize_t)sizeof(facts->binding))
		ssl = tlsctx_new(facts->tlsctx, TLSCTX_CONTROL, facts->binding);
	/* a handshake takes long, so established sessions go first */
	if (ssl == NULL || stream_tls_start(&session->client, ssl, false) < 0 ||
	    loop_set_bulk(session->client.loop, &session->client.watch, true) < 0 ||
	    loop_timer(session->client.loop, &session->phase_timer,
		       session->facts.rule->tls->handshake_timeout_ms) < 0) {
		session_end(session, "no-memory");
		return;
	}
	session_habits_await_hello(session);
	session->phase = PHASE_HANDSHAKE;
}

/* AUTH was accepted. Any cleartext after it may come from an attacker. */
void control_tls_auth(struct session *session)
{
	if (inbuf_len(&session->client_in) > 0) {
		violation(session, "plaintext-after-auth");
		return;
	}
	outbuf_flush(&session->worker->replies, &session->client);
	if (session->phase == PHASE_CLIENT_EOF) /* the client will send no handshake */
		session_end(session, "client-closed");
	else
		control_tls_start(session);
}

/*
 * After CCC our close_notify is due, but not together with the 200: if lftp reads
 * both at once, it takes them for the end of the connection. We send it in answer to
 * the client's close_notify, or after this time for clients that wait for ours first
 * (curl), and never if the client is in the clear already.
 */
#define CCC_NOTIFY_MS 100

static void tls_notify(struct session *session)
{
	session->notify_due = false;
	stream_tls_notify(&session->client);
	(void)stream_flush(&session->client); /* the next read sees a broken stream */
	stream_tls_tx_clear(&session->client);
}

/*
 * CCC or REIN was accepted. Bytes that came under TLS after it must not count as
 * commands in the clear.
 */
void control_tls_stop(struct session *session, bool notify)
{
	if (inbuf_len(&session->client_in) > 0 || stream_tls_has_pending(&session->client)) {
		violation(session, "commands-after-ccc");
		return;
	}
	outbuf_flush(&session->worker->replies, &session->client);
	if (session->phase == PHASE_CLIENT_EOF) {
		session_end(session, "client-closed");
		return;
	}
	session->phase = PHASE_LEAVING_TLS;
	session->notify_due = notify;
	if (!notify)
		stream_tls_tx_clear(&session->client);
	else if (loop_timer(session->client.loop, &session->phase_timer, CCC_NOTIFY_MS) < 0)
		tls_notify(session);
	tally_cleared(FTP_SIDE_CLIENT, ftp_machine_is_cleared(&session->machine));
	session_log(&session->facts, LOG_LEVEL_INFO, "tls-cleared", LOG_END);
	session_audit(&session->facts, "tls-cleared", AUDIT_TEXT("leg", "client"));
}

static void tls_leave(struct session *session)
{
	switch (stream_tls_leave(&session->client, session->notify_due)) {
	case STREAM_OK:
		session->phase = PHASE_COMMANDS;
		session->notify_due = false;
		loop_timer_stop(session->client.loop, &session->phase_timer);
		break;
	case STREAM_WAIT:
		break;
	case STREAM_CLEAN:
	case STREAM_TRUNCATED:
		session_end(session, "client-closed");
		break;
	case STREAM_RESET:
		violation(session, "commands-after-ccc");
		break;
	}
}

void control_tls_step(struct session *session)
{
	if (session->phase == PHASE_HANDSHAKE)
		tls_handshake(session);
	else if (session->phase == PHASE_LEAVING_TLS)
		tls_leave(session);
}

void control_tls_timeout(struct session *session)
{
	if (session->phase == PHASE_LEAVING_TLS) {
		tls_notify(session);
		return;
	}
	tally_handshake_failed(FTP_SIDE_CLIENT, false, "timeout");
	/* no reply is possible in the middle of a handshake (AT-TLS return code 5004) */
	handshake_over(session, "handshake-timeout");
}
