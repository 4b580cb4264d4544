/*
 * The TLS handshake of a data connection. It resumes only sessions of its own
 * control connection, and shows the same client certificate (RFC 4217 15.1.2).
 */
#include "gateway/worker/data-tls.h"

#include <sys/random.h>

#include "gateway/net/stream-tls-cause.h"
#include "gateway/net/stream-tls.h"
#include "gateway/worker/data-habits.h"
#include "gateway/worker/data-result.h"
#include "gateway/worker/session-audit.h"
#include "gateway/worker/session-log.h"
#include "gateway/worker/session-summary.h"
#include "gateway/worker/tally.h"
#include "gateway/worker/would-refuse.h"

/*
 * A TLS object for a data connection: bound to its session, or to nothing if policy
 * wants no resumption.
 */
static struct ssl_st *new_ssl(const struct facts *facts)
{
	uint8_t nothing[TLS_BINDING_BYTES];

	struct ssl_st *ssl;

	if (facts->rule->ftp->secure_session_reuse != SESSION_REUSE_NONE) {
		ssl = tlsctx_new(facts->tlsctx, TLSCTX_DATA, facts->binding);
		if (ssl != NULL && facts->has_user_binding)
			tlsctx_reuse_user(ssl, facts->user_binding);
		return ssl;
	}
	if (getrandom(nothing, sizeof(nothing), 0) != (ssize_t)sizeof(nothing))
		return NULL;
	return tlsctx_new(facts->tlsctx, TLSCTX_DATA, nothing);
}

/*
 * RFC 4217 15.1.2: if the control connection has a client certificate, the data
 * connection must show the same one.
 */
static bool same_certificate(const struct facts *facts, const struct stream *stream)
{
	struct identity identity = { .present = false };
	bool same;

	if (!facts->identity.present)
		return true;
	same = identity_get(stream, &identity) == 0 && identity_equal(&identity, &facts->identity);
	identity_done(&identity);
	return same;
}

/* What a data connection gets that must resume a session and has not. */
static const enum ftp_data_result refusals[] = {
	[TLS_REUSE_NOT_OFFERED] = FTP_DATA_NOT_REUSED, [TLS_REUSE_UNKNOWN] = FTP_DATA_TICKET_UNKNOWN,
	[TLS_REUSE_OTHER] = FTP_DATA_TICKET_OTHER,     [TLS_REUSE_EXPIRED] = FTP_DATA_TICKET_EXPIRED,
	[TLS_REUSE_UNFIT] = FTP_DATA_TICKET_UNFIT,     [TLS_REUSE_RESUMED] = FTP_DATA_PENDING,
};

static bool must_resume(const struct facts *facts)
{
	return session_reuse_is_required(facts->rule->ftp->secure_session_reuse) && !facts_are_audited(facts);
}

/* Has it resumed what policy asks for? FTP_DATA_PENDING: yes. */
static enum ftp_data_result check_reuse(const struct facts *facts, const struct stream *stream)
{
	if (!must_resume(facts) &&
	    !(facts_are_audited(facts) && session_reuse_is_required(facts->rule->ftp->secure_session_reuse)))
		return FTP_DATA_PENDING;
	if (tlsctx_lacks_extended_master_secret(stream->ssl))
		return FTP_DATA_NO_EXTENDED_SECRET;
	return refusals[tlsctx_reuse_result(stream->ssl)];
}

/* OpenSSL ends a handshake that resumes a session with the extended master secret without it. */
static enum ftp_data_result failed(const struct facts *facts, const struct stream *stream, bool closed)
{
	tally_handshake_failed(FTP_SIDE_CLIENT, true, closed ? "closed" : stream_tls_cause());
	session_log(facts, LOG_LEVEL_INFO, "data-tls-failed", LOG_TEXT("reason", stream_tls_reason()),
		    LOG_ALERT(stream, "client"));
	session_audit_tls_failed(facts, AUDIT_LEG_CLIENT, true, stream_tls_reason(), NULL);
	return must_resume(facts) && stream_tls_has_begun(stream) &&
		       tlsctx_lacks_extended_master_secret(stream->ssl)
		   ? FTP_DATA_NO_EXTENDED_SECRET
		   : FTP_DATA_TLS;
}

enum ftp_data_result data_tls_step(struct data_legs *legs)
{
	const struct facts *facts = legs->facts;
	struct data_leg *leg = &legs->client;
	enum ftp_data_result result;

	if (leg->state == LEG_OPEN) {
		struct ssl_st *ssl = new_ssl(facts);

		if (ssl == NULL || stream_tls_start(&leg->stream, ssl, facts->rule->tls->ktls) < 0)
			return FTP_DATA_ABORTED;
		leg->state = LEG_TLS;
	}
	switch (stream_tls_handshake(&leg->stream)) {
	case STREAM_OK:
		break;
	case STREAM_WAIT:
		if (loop_watch(&legs->worker->loop, &leg->stream.watch,
			       EPOLLIN | (stream_is_drained(&leg->stream) ? 0 : EPOLLOUT)) < 0)
			return FTP_DATA_ABORTED;
		return FTP_DATA_PENDING;
	case STREAM_CLEAN:
	case STREAM_TRUNCATED:
		return failed(facts, &leg->stream, true);
	case STREAM_RESET:
		return failed(facts, &leg->stream, false);
	}
	tlsctx_sessions_keep(facts->tls_sessions, TLSCTX_DATA, leg->stream.ssl);
	tally_handshake(FTP_SIDE_CLIENT, true, &leg->stream);
	data_habits_handshake(facts, &leg->stream);
	session_log(facts, LOG_LEVEL_DEBUG, "data-tls", LOG_TEXT("version", stream_tls_version(&leg->stream)),
		    LOG_TEXT("cipher", stream_tls_cipher(&leg->stream)),
		    LOG_TEXT("group", stream_tls_group(&leg->stream)),
		    LOG_TEXT("resumed", stream_tls_resumed(&leg->stream) ? "yes" : "no"),
		    LOG_TEXT("ktls", leg->stream.ktls != NULL ? "yes" : "no"));
	session_summary_tls(facts, AUDIT_LEG_CLIENT, true, &leg->stream, NULL);
	if (tlsctx_reuse_result(leg->stream.ssl) != TLS_REUSE_NOT_OFFERED)
		legs->ticket_due = true;
	/* as for the control connection, see tls_is_up() */
	if (facts->rule->ftp->secure_dataconn == SECURE_PRIVATE &&
	    stream_tls_level(&leg->stream) != SECURE_PRIVATE)
		return FTP_DATA_NOT_PRIVATE;
	result = check_reuse(facts, &leg->stream);
	if (result != FTP_DATA_PENDING && facts_are_audited(facts)) {
		would_refuse(facts, "secure_session_reuse", "", data_result_reason(result));
		result = FTP_DATA_PENDING;
	}
	if (result != FTP_DATA_PENDING) {
		tally_not_reused(FTP_SIDE_CLIENT, data_result_reason(result));
		session_log(facts, LOG_LEVEL_INFO, "session-not-reused",
			    LOG_TEXT("reason", data_result_reason(result)),
			    LOG_DECISION(facts, "secure_session_reuse"));
		return result;
	}
	if (!same_certificate(facts, &leg->stream))
		return FTP_DATA_CERTIFICATE;
	leg->state = LEG_READY;
	/* bytes of the client before the relay begins would raise events without end */
	(void)loop_watch(&legs->worker->loop, &leg->stream.watch, 0); /* removing cannot fail */
	return FTP_DATA_PENDING;
}

bool data_tls_has_begun(const struct data_leg *leg)
{
	return leg->state == LEG_TLS && stream_tls_has_begun(&leg->stream);
}

bool data_tls_resumes(const struct data_leg *leg)
{
	return leg->state == LEG_TLS && stream_tls_resumes_13(&leg->stream);
}

void data_tls_cancel(struct data_legs *legs)
{
	struct data_leg *leg = &legs->client;

	leg->stream.layer->free(&leg->stream);
	leg->state = LEG_OPEN;
	(void)loop_watch(&legs->worker->loop, &leg->stream.watch, 0); /* removing cannot fail */
}
