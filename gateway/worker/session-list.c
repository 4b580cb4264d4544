/*
 * The worker's answer to `attlsctl sessions`. Only this file decides what an operator
 * sees of a session.
 */
#include "gateway/worker/session-list.h"

#include <string.h>
#include <unistd.h>

#include "gateway/net/netsock.h"
#include "gateway/net/stream-tls.h"
#include "gateway/worker/context.h"
#include "gateway/worker/server-tls-state.h"
#include "gateway/worker/session-state.h"

/* The buffer is empty, and its last byte stays 0. */
static void put(char *buf, size_t size, const char *text)
{
	(void)memccpy(buf, text != NULL ? text : "", '\0', size - 1);
}

static void put_leg(struct answer_leg *leg, const struct stream *stream)
{
	put(leg->tls, sizeof(leg->tls), stream_tls_version(stream));
	put(leg->cipher, sizeof(leg->cipher), stream_tls_cipher(stream));
	put(leg->group, sizeof(leg->group), stream_tls_group(stream));
	leg->resumed = stream_tls_resumed(stream);
	leg->control = *secure_level_letter(stream_tls_level(stream));
}

static void put_cleared(struct answer_leg *leg)
{
	put(leg->tls, sizeof(leg->tls), "ccc");
	leg->control = 'L';
}

/* "gssapi", unless CCC has ended its protection; see put_cleared(). */
static void put_gssapi(struct answer_leg *leg, const struct control_gssapi *gssapi)
{
	if (gssapi->level == FTP_PROT_CLEAR)
		return;
	put(leg->tls, sizeof(leg->tls), "gssapi");
	leg->control = *secure_level_letter(gssapi->level == FTP_PROT_SAFE ? SECURE_SAFE : SECURE_PRIVATE);
}

static void put_tls(struct answer_leg *leg, const struct session *session)
{
	leg->control = 'C';
	if (session->phase == PHASE_HANDSHAKE) {
		put(leg->tls, sizeof(leg->tls), "handshake");
		leg->control = '\0';
	} else if (session->client.ssl == NULL && ftp_machine_is_cleared(&session->machine)) {
		put_cleared(leg);
	}
	if (session->client.ssl != NULL && session->client.tls_up)
		put_leg(leg, &session->client);
	if (session->gssapi != NULL)
		put_gssapi(leg, session->gssapi);
}

static void put_server_tls(struct answer_session *shown, const struct session *session)
{
	const struct server_tls *tls = session->facts.server_tls;
	struct answer_leg *leg = &shown->server_leg;

	leg->control = stream_is_open(&session->server) ? 'C' : '\0';
	if (tls == NULL)
		return;
	put(shown->server_name, sizeof(shown->server_name), tls->host);
	if (session->server_state == SERVER_HANDSHAKE) {
		put(leg->tls, sizeof(leg->tls), "handshake");
		leg->control = '\0';
	}
	if (!tls->shown.present)
		return;
	put(shown->server_issuer, sizeof(shown->server_issuer), tls->shown.issuer);
	(void)identity_sha256(&tls->shown, shown->server_sha256);
	if (session->server.tls_up)
		put_leg(leg, &session->server);
	else
		put_cleared(leg); /* TLS was up, since there is a certificate */
}

/* The address at which the peer of a leg can be, is or was told to be. */
static void put_data_leg(struct answer_leg *shown, const struct data_leg *leg)
{
	const struct stream *stream = &leg->stream;

	shown->waits = leg->state == LEG_LISTENING;
	if (leg->state == LEG_NONE || !stream_is_open(stream) ||
	    netsock_peer(stream->watch.fd, &shown->peer) < 0)
		shown->peer.port = 0;
}

static void put_client_way(struct answer_leg *leg, const struct session *session)
{
	static const uint8_t ways[] = {
		[FTP_CLIENT_NONE] = 0,
		[FTP_CLIENT_PASV] = 1 + WAY_PASV,
		[FTP_CLIENT_EPSV] = 1 + WAY_EPSV,
		[FTP_CLIENT_PORT] = 1 + WAY_PORT,
		[FTP_CLIENT_EPRT] = 1 + WAY_EPRT,
	};
	const struct data_legs *legs = &session->data.legs;
	enum ftp_client_mode mode = ftp_machine_client_mode(&session->machine);

	if (legs->client.state == LEG_NONE)
		return;
	leg->way = ways[mode];
	leg->told =
	    mode == FTP_CLIENT_PORT || mode == FTP_CLIENT_EPRT ? legs->client.target : legs->told.endpoint;
	put_data_leg(leg, &legs->client);
}

static void put_server_way(struct answer_leg *leg, const struct session *session)
{
	static const struct {
		uint8_t mode, way;
		bool active;
	} ways[] = {
		{ FTP_MODE_EPSV, WAY_EPSV, false },
		{ FTP_MODE_PASV, WAY_PASV, false },
		{ FTP_MODE_EPRT, WAY_EPRT, true },
		{ FTP_MODE_PORT, WAY_PORT, true },
	};
	const struct data_leg *server = &session->data.legs.server;
	int fd = server->listener.fd != -1 ? server->listener.fd : server->stream.watch.fd;

	for (size_t i = 0; i < NELEM(ways) && server->state != LEG_NONE; i++) {
		if (ways[i].mode != ftp_machine_server_mode(&session->machine))
			continue;
		leg->way = (uint8_t)(1 + ways[i].way);
		if (!ways[i].active)
			leg->told = ftp_machine_server_named(&session->machine);
		else if (fd == -1 || netsock_local(fd, &leg->told) < 0)
			leg->told.port = 0;
		put_data_leg(leg, server);
	}
}

static void put_certificate(struct answer_session *shown, const struct session *session)
{
	const struct identity *identity = &session->facts.identity;

	/* after CCC it is still that of the login; after REIN, there is no login */
	if (!identity->present || (session->client.ssl == NULL && !ftp_machine_is_cleared(&session->machine)))
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
	shown->client_leg.data = *secure_level_letter(status.level);
	shown->server_leg.data = *secure_level_letter(status.server_level);
	shown->upload = status.upload;
	shown->bytes = status.bytes;
	shown->rate = status.rate;
	shown->size_known = ftp_progress_total(&session->latest.progress, status.bytes, &shown->size);
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
	put(shown->command, sizeof(shown->command), session->latest.command);
	put_tls(&shown->client_leg, session);
	put_server_tls(shown, session);
	put_certificate(shown, session);
	put(shown->principal, sizeof(shown->principal), session->facts.principal);
	put_transfer(shown, session);
	put_client_way(&shown->client_leg, session);
	put_server_way(&shown->server_leg, session);
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
	ctl_proto_begin(ret_answer, ANSWER_SESSION);
	describe(worker, session, &ret_answer->u.session);
	return true;
}
