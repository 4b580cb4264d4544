/*
 * Ends a session, for any reason: closes both control connections, frees what the
 * session has, tells the monitor and logs it.
 */
#include "gateway/worker/session-end.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/net/stream-tls.h"
#include "gateway/worker/server-tls.h"
#include "gateway/worker/session-count.h"
#include "gateway/worker/session-gssapi.h"
#include "gateway/worker/session-habits.h"
#include "gateway/worker/session-log.h"
#include "gateway/worker/session-summary.h"
#include "gateway/worker/tally.h"

/* CCONNTIME of a session that has no rule. */
#define CCONN_MS 2000

void session_free(struct deferred *deferred)
{
	struct session *session = CONTAINER_OF(deferred, struct session, deferred);

	assert(session->magic == SESSION_MAGIC);
	session->magic = 0;
	free(session->access);
	free(session->late_choice);
	free(session);
}

void session_login_failed(struct session *session, const char *by, const char *key)
{
	/* a wrong password of the policy is not the client's fault, nor a login that nobody checks */
	bool unchecked = strcmp(by, "login-unchecked") == 0;
	bool ours = unchecked || strcmp(by, "stored-credential") == 0;

	tally_login_failed(by);
	session_log(&session->facts, ours ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "login-failed",
		    LOG_TEXT("user", session->login_name), LOG_TEXT("by", by),
		    LOG_DECISION(&session->facts, key));
	session_audit_login_failed(&session->facts, session->login_name, by, key);
	uplink_notify(&session->worker->uplink, unchecked ? MSG_LOGIN_OVER : MSG_LOGIN_FAILED,
		      session->facts.id);
}

/* Has the client gone without a byte? Behind a load balancer, checks are told apart by their header. */
static bool was_probe(const struct session *session)
{
	const struct stream *client = &session->client;
	bool gone = session->probe || client->saw_fin || client->saw_reset;

	return gone && !session->spoke && session->facts.listener->nproxies == 0 &&
	       !(client->ssl != NULL && stream_tls_has_begun(client));
}

/* The policy's key that made the session end. NULL: none did. */
static const char *decided(const struct session *session, const char *reason)
{
	/* where the machine has no say */
	static const struct {
		const char *reason, *key;
	} handshakes[] = {
		{ "handshake-timeout", "handshake_timeout" },
		{ "certificate-unknown", "client_auth_type" },
		{ "no-tls-begun", "listener.tls" },
		{ "proxy-header", "listener.proxy_protocol" },
	};

	for (size_t i = 0; i < sizeof(handshakes) / sizeof(handshakes[0]); i++)
		if (strcmp(reason, handshakes[i].reason) == 0)
			return handshakes[i].key;
	return session->ended_by;
}

static void write_summary(struct session *session, const char *reason)
{
	const struct session_over over = {
		.user = session->user[0] != '\0' ? session->user : session->login_name,
		.reason = reason,
		.ms = session->worker->loop.now_ms - session->started_ms,
		.cleared = ftp_machine_is_cleared(&session->machine),
	};

	if (!session->probe)
		session_summary_write(&session->facts, &over);
	session_summary_done(&session->summary);
}

void session_end(struct session *session, const char *reason)
{
	struct worker *worker = session->worker;
	struct msg last;

	if (session->ended)
		return;
	session->ended = true;
	if (was_probe(session))
		probers_note(&worker->probers, &session->facts.remote.addr, worker->loop.now_ms);
	session->data.legs.told.reason = "session-end";
	data_conn_close(&session->data, false);
	/* a guesser must gain nothing by leaving before the answer */
	if (ftp_machine_tries_login(&session->machine))
		session_login_failed(session, "no-answer", NULL);
	/* before the client sees the end, since it may connect again at once */
	last = session_habits_end(session);
	uplink_send(&worker->uplink, &last);
	/* a peer that is gone makes both a no-op */
	if (ftp_machine_is_replying(&session->machine))
		(void)stream_cut(&session->client);
	else
		(void)stream_finish(&session->client);
	linger_take_for(&worker->lingering, &session->client,
			session->facts.rule != NULL ? (uint64_t)session->facts.rule->ftp->cconntime_s * 1000
						    : CCONN_MS);
	server_tls_finish(session);
	/* some servers run the part of a line that they have when the connection ends */
	stream_close(&session->server, !stream_is_drained(&session->server));
	loop_timer_stop(&worker->loop, &session->phase_timer);
	loop_timer_stop(&worker->loop, &session->server_timer);
	loop_timer_stop(&worker->loop, &session->pause_timer);
	loop_timer_stop(&worker->loop, &session->side_timer);
	loop_timer_stop(&worker->loop, &session->idle_timer);
	loop_timer_stop(&worker->loop, &session->progress_timer);
	session_gssapi_forget(session);
	free(session->proxy_wait);
	session->proxy_wait = NULL;
	free(session->ask);
	session->ask = NULL;
	identity_done(&session->facts.identity);
	server_tls_free(session);
	tlsctx_sessions_forget(&session->tls_sessions);
	changes_done(&session->changes);
	inbuf_free(&session->client_in);
	inbuf_free(&session->server_in);
	server_memory_leave(session->ways);
	session->ways = NULL;
	loop_defer_free(&worker->loop, &session->deferred);
	session_table_remove(&worker->sessions, &session->node);
	if (session->refusals > SESSION_REFUSALS_LOGGED)
		session_log(&session->facts, LOG_LEVEL_INFO, "refused-more",
			    LOG_NUMBER("count", session->refusals - SESSION_REFUSALS_LOGGED));
	told_log_more(&session->data.legs.told, &session->facts);
	if (session->strays > 1)
		session_log(&session->facts, LOG_LEVEL_INFO, "stray-more",
			    LOG_NUMBER("count", session->strays - 1));
	worker->unlisted += !session->summary.began;
	write_summary(session, reason);
	session_audit_end(&session->facts, reason, decided(session, reason),
			  worker->loop.now_ms - session->started_ms);
	/*
	 * last, so that a reader of the log can rely on room for the next session, and on
	 * the earlier line of a transfer
	 */
	if (!session->probe)
		session_count_end(session, reason);
	session_log(&session->facts, session_level(session), "session-end",
		    LOG_TEXT("user", session->user[0] != '\0' ? session->user : session->login_name),
		    LOG_NUMBER("ms", worker->loop.now_ms - session->started_ms), LOG_TEXT("reason", reason),
		    LOG_DECISION(&session->facts, decided(session, reason)));
	trace_session_over(&session->facts);
}
