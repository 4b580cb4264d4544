/*
 * The worker's answer to `attlsctl sessions`. Only this file decides what an operator
 * sees of a session.
 */
#include "gateway/worker/session-list.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/net/stream-tls.h"
#include "gateway/worker/context.h"
#include "gateway/worker/server-tls-state.h"
#include "gateway/worker/session-state.h"

static void put(char *buf, size_t size, const char *text)
{
	(void)snprintf(buf, size, "%s", text != NULL ? text : "");
}

static void put_tls(struct answer_session *shown, const struct session *session)
{
	if (session->phase == PHASE_HANDSHAKE)
		put(shown->tls, sizeof(shown->tls), "handshake");
	else if (session->client.ssl == NULL && ftp_machine_is_cleared(&session->machine))
		put(shown->tls, sizeof(shown->tls), "ccc");
	if (session->client.ssl == NULL || !session->client.tls_up)
		return;
	put(shown->tls, sizeof(shown->tls), stream_tls_version(&session->client));
	put(shown->cipher, sizeof(shown->cipher), stream_tls_cipher(&session->client));
}

static void put_server_tls(struct answer_session *shown, const struct session *session)
{
	const struct server_tls *tls = session->facts.server_tls;

	if (tls == NULL)
		return;
	put(shown->server_name, sizeof(shown->server_name), tls->host);
	if (session->server_state == SERVER_HANDSHAKE)
		put(shown->server_tls, sizeof(shown->server_tls), "handshake");
	if (!tls->shown.present)
		return;
	put(shown->server_issuer, sizeof(shown->server_issuer), tls->shown.issuer);
	(void)identity_sha256(&tls->shown, shown->server_sha256);
	if (!session->server.tls_up) { /* TLS was up, since there is a certificate */
		put(shown->server_tls, sizeof(shown->server_tls), "ccc");
		return;
	}
	put(shown->server_tls, sizeof(shown->server_tls), stream_tls_version(&session->server));
	put(shown->server_cipher, sizeof(shown->server_cipher), stream_tls_cipher(&session->server));
	put(shown->server_group, sizeof(shown->server_group), stream_tls_group(&session->server));
	shown->server_resumed = stream_tls_resumed(&session->server);
}

static void put_certificate(struct answer_session *shown, const struct session *session)
{
	const struct identity *identity = &session->facts.identity;

	if (!identity->present)
		return;
	put(shown->subject, sizeof(shown->subject), identity->subject);
	put(shown->issuer, sizeof(shown->issuer), identity->issuer);
	put(shown->serial, sizeof(shown->serial), identity->serial);
	(void)identity_sha256(identity, shown->sha256);
}

static void put_transfer(struct answer_session *shown, const struct session *session)
{
	struct data_status status;

	if (!data_conn_status(&session->data, &status))
		return;
	put(shown->transfer, sizeof(shown->transfer), status.command);
	shown->idle_ms = status.idle_ms;
	shown->transfer_ms = status.transfer_ms;
	put(shown->prot, sizeof(shown->prot), secure_level_letter(status.level));
	if (session->facts.server_tls != NULL)
		put(shown->server_prot, sizeof(shown->server_prot), secure_level_letter(status.server_level));
	shown->bytes = status.bytes;
}

static void describe(const struct worker *worker, const struct session *session, struct answer_session *shown)
{
	uint64_t now_ms = worker->loop.now_ms;

	shown->session = session->facts.id;
	shown->age_ms = now_ms - session->started_ms;
	shown->idle_ms = now_ms - session->active_ms;
	shown->worker = (int32_t)getpid();
	shown->remote = session->facts.remote;
	shown->local = session->facts.local;
	shown->server = session->facts.server;
	put(shown->listener, sizeof(shown->listener), session->facts.listener->name);
	put(shown->rule, sizeof(shown->rule), session->facts.rule != NULL ? session->facts.rule->name : NULL);
	put(shown->backend, sizeof(shown->backend),
	    session->facts.rule != NULL ? session->facts.rule->backend->name : NULL);
	put(shown->user, sizeof(shown->user), session->user);
	put_tls(shown, session);
	put_server_tls(shown, session);
	put_certificate(shown, session);
	put_transfer(shown, session);
	if (session->data.legs.client.state == LEG_LISTENING)
		shown->told = session->data.legs.told.endpoint;
}

/* Fill in only what a filter looks at, so that the sessions that are not wanted cost little. */
bool session_list_wants(const struct worker *worker, const struct session_filter *filter,
			const struct session *session)
{
	const struct policy_rule *rule = session->facts.rule;
	struct data_status status;
	struct session_traits traits = {
		.session = session->facts.id,
		.idle_ms = worker->loop.now_ms - session->active_ms,
		.transfers = data_conn_status(&session->data, &status),
		.client = &session->facts.remote.addr,
		.user = session->user,
		.rule = rule != NULL ? rule->name : NULL,
		.listener = session->facts.listener->name,
		.backend = rule != NULL ? rule->backend->name : NULL,
	};

	if (traits.transfers)
		traits.idle_ms = status.idle_ms;
	return session_filter_matches(filter, &traits);
}

bool session_list_next(const struct worker *worker, const struct session_filter *filter, uint64_t *at,
		       struct answer *ret_answer)
{
	const struct session *session;

	do {
		session = session_of(session_table_after(&worker->sessions, *at));
		if (session == NULL)
			return false;
		*at = session->facts.id;
	} while (!session_list_wants(worker, filter, session));
	*ret_answer = ctl_proto_answer(ANSWER_SESSION);
	describe(worker, session, &ret_answer->u.session);
	return true;
}
