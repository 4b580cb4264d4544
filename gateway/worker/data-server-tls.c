/*
 * The TLS handshake of a data connection to the server, with the gateway as the client in
 * every mode (RFC 4217 7). A server must be the same as that of the control connection:
 * resumption proves it, a full handshake is judged as there.
 */
#include "gateway/worker/data-server-tls.h"

#include "gateway/net/stream-tls-cause.h"
#include "gateway/net/stream-tls.h"
#include "gateway/worker/server-tls-state.h"
#include "gateway/worker/session-audit.h"
#include "gateway/worker/session-log.h"
#include "gateway/worker/session-summary.h"
#include "gateway/worker/tally.h"

static const struct server_security *security_of(const struct data_legs *legs)
{
	return &legs->facts->rule->backend->security;
}

static void log_failed(const struct data_legs *legs, const char *reason)
{
	const struct ssl_st *ssl = legs->server.stream.ssl;
	const char *shown = ssl != NULL ? tlsctx_client_shown(ssl) : "";

	session_log(legs->facts, LOG_LEVEL_ERROR, "data-server-tls-failed",
		    LOG_TEXT("backend", legs->facts->rule->backend->name),
		    LOG_TEXT("hostname", legs->facts->server_tls->host), LOG_TEXT("reason", reason),
		    LOG_TEXT(shown[0] != '\0' ? "sha256" : "", shown));
	session_audit_tls_failed(legs->facts, AUDIT_LEG_SERVER, true, reason, shown);
}

static int begin(struct data_legs *legs)
{
	struct server_tls *tls = legs->facts->server_tls;
	struct ssl_session_st *session = NULL;
	struct ssl_st *ssl;

	tlsctx_follow_control(&tls->sessions, legs->control.server->ssl);
	if (security_of(legs)->session_reuse != SESSION_REUSE_NONE)
		session = tlsctx_follow_next(&tls->sessions);
	ssl = tlsctx_client_new(tls->ctx, TLSCTX_DATA, tls->host, session);
	if (ssl == NULL ||
	    stream_tls_start(&legs->server.stream, ssl, legs->facts->rule->backend->tls->ktls) < 0)
		return -1;
	legs->server.state = LEG_TLS;
	return 0;
}

/* The handshake has succeeded: is the connection what policy wants? */
static enum ftp_data_result check(const struct data_legs *legs)
{
	const struct stream *stream = &legs->server.stream;

	if (security_of(legs)->dataconn == SECURE_PRIVATE && stream_tls_level(stream) != SECURE_PRIVATE) {
		log_failed(legs, "the cipher does not encrypt");
		return FTP_DATA_SERVER_TLS;
	}
	if (session_reuse_is_required(security_of(legs)->session_reuse) && !stream_tls_resumed(stream)) {
		tally_not_reused(FTP_SIDE_SERVER, "other");
		log_failed(legs, "the server has not resumed the session of the control connection");
		return FTP_DATA_SERVER_NOT_REUSED;
	}
	return FTP_DATA_PENDING;
}

enum ftp_data_result data_server_tls_step(struct data_legs *legs)
{
	struct data_leg *leg = &legs->server;
	struct stream *stream = &leg->stream;
	enum ftp_data_result result;

	if (leg->state == LEG_OPEN && begin(legs) < 0)
		return FTP_DATA_ABORTED;
	if (leg->state != LEG_TLS)
		return FTP_DATA_PENDING;
	switch (stream_tls_handshake(stream)) {
	case STREAM_OK:
		break;
	case STREAM_WAIT:
		if (loop_watch(&legs->worker->loop, &stream->watch,
			       EPOLLIN | (stream_is_drained(stream) ? 0 : EPOLLOUT)) < 0)
			return FTP_DATA_ABORTED;
		return FTP_DATA_PENDING;
	case STREAM_CLEAN:
	case STREAM_TRUNCATED:
		tally_handshake_failed(FTP_SIDE_SERVER, true, "closed");
		log_failed(legs, "the server has closed the connection");
		return FTP_DATA_SERVER_TLS;
	case STREAM_RESET:
		tally_handshake_failed(FTP_SIDE_SERVER, true, stream_tls_cause());
		log_failed(legs, stream_tls_reason());
		return FTP_DATA_SERVER_TLS;
	}
	tally_handshake(FTP_SIDE_SERVER, true, stream);
	session_log(legs->facts, LOG_LEVEL_DEBUG, "data-server-tls",
		    LOG_TEXT("version", stream_tls_version(stream)),
		    LOG_TEXT("cipher", stream_tls_cipher(stream)),
		    LOG_TEXT("resumed", stream_tls_resumed(stream) ? "yes" : "no"),
		    LOG_TEXT("ktls", stream->ktls != NULL ? "yes" : "no"));
	session_summary_tls(legs->facts, AUDIT_LEG_SERVER, true, stream, NULL);
	result = check(legs);
	if (result != FTP_DATA_PENDING)
		return result;
	leg->state = LEG_READY;
	/* bytes of the server before the relay begins would raise events without end */
	(void)loop_watch(&legs->worker->loop, &stream->watch, 0); /* removing cannot fail */
	return FTP_DATA_PENDING;
}

/*
 * In TLS 1.2, the server may have finished the handshake while its Finished is missing here.
 * To that server, an orderly end would be the end of an empty file, so the leg is reset.
 */
enum ftp_data_result data_server_tls_late(struct data_legs *legs)
{
	tally_handshake_failed(FTP_SIDE_SERVER, true, "timeout");
	log_failed(legs, "the handshake took too long");
	data_legs_close(legs, &legs->server, true);
	return FTP_DATA_SERVER_TLS;
}

enum secure_level data_server_tls_level(const struct data_legs *legs)
{
	return stream_tls_level(&legs->server.stream);
}

void data_server_tls_end(struct data_legs *legs)
{
	if (legs->server.stream.tls_up)
		tlsctx_follow_data(&legs->facts->server_tls->sessions, legs->server.stream.ssl);
}
