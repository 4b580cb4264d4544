#include "gateway/worker/data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/net/netsock.h"
#include "gateway/net/stream-ktls.h"
#include "gateway/net/stream-tls.h"
#include "gateway/worker/data-leg.h"
#include "gateway/worker/session.h"
#include "gateway/worker/worker.h"

/* From the server's go-ahead until both legs are ready. */
#define CONNECT_MS 60000
/* No byte for so long: given up. Long, since tapes and data sets may keep a file waiting. */
#define STALL_MS (30 * 60 * 1000)
/* TCP keep-alive takes four system calls a leg, and most files are gone before it could matter. */
#define KEEPALIVE_AFTER_MS 1000
/* How often the client's acknowledgement is looked for, at first and at most; and the end of patience. */
#define SETTLE_INITIAL_MS 5
#define SETTLE_MAX_MS	  200
#define SETTLE_TIMEOUT_MS 60000

static struct worker *worker_of(const struct data *data)
{
	return data->session->worker;
}

static struct loop *loop_of(const struct data *data)
{
	return &worker_of(data)->loop;
}

static void on_client(struct watch *watch, uint32_t ready)
{
	(void)ready;
	data_step(CONTAINER_OF(watch, struct data, client.stream.watch));
}

static void on_server(struct watch *watch, uint32_t ready)
{
	(void)ready;
	data_step(CONTAINER_OF(watch, struct data, server.stream.watch));
}

static const char *const result_names[] = {
	[FTP_DATA_PENDING] = "dropped",
	[FTP_DATA_OK] = "ok",
	[FTP_DATA_NO_CLIENT] = "no-client-connection",
	[FTP_DATA_NO_SERVER] = "no-server-connection",
	[FTP_DATA_TLS] = "tls-failed",
	[FTP_DATA_NOT_REUSED] = "session-not-reused",
	[FTP_DATA_CERTIFICATE] = "other-certificate",
	[FTP_DATA_CUT] = "tls-truncated",
	[FTP_DATA_CLIENT_LOST] = "client-reset",
	[FTP_DATA_SERVER_LOST] = "server-reset",
	[FTP_DATA_STALLED] = "stalled",
	[FTP_DATA_ABORTED] = "aborted",
};

static void count_relay(struct data *data, bool on)
{
	if (data->relaying == on)
		return;
	data->relaying = on;
	*worker_of(data)->relays += on ? 1u : -1u;
}

static void log_transfer(const struct data *data, enum ftp_data_result result)
{
	log_event(LOG_LEVEL_INFO, "transfer", LOG_NUMBER("session", data->session->id),
		  LOG_TEXT("direction", data->upload ? "upload" : "download"),
		  LOG_TEXT("command", data->command != NULL ? data->command : ""),
		  LOG_TEXT("prot", data->protect ? "P" : "C"), LOG_NUMBER("bytes", data->relay.bytes),
		  LOG_NUMBER("ms", loop_of(data)->now_ms - data->started_ms),
		  LOG_TEXT("result", result_names[result]));
}

/* The transfer's data part is over: tidy up, log it, tell the session. */
static void data_end(struct data *data, enum ftp_data_result result)
{
	struct session *session = data->session;
	bool whole = result == FTP_DATA_OK;
	bool begun = data->relaying;

	if (data->client.stream.ktls != NULL && data->client.stream.ktls->rekeyed)
		log_event(LOG_LEVEL_INFO, "ktls-key-update", LOG_NUMBER("session", session->id),
			  LOG_TEXT("fix", "ktls: false in the tls_action of clients that change keys"));
	log_transfer(data, result);
	count_relay(data, false);
	data_leg_withdraw(data);
	loop_timer_stop(loop_of(data), &data->timer);
	loop_timer_stop(loop_of(data), &data->tick);
	if (result == FTP_DATA_TLS)
		(void)stream_finish(&data->client.stream); /* lets the alert reach the client */
	if (whole || result == FTP_DATA_TLS)
		linger_take(&worker_of(data)->lingering, &data->client.stream);
	if (whole)
		linger_take(&worker_of(data)->lingering, &data->server.stream);
	if (!whole && !begun && data->server.state == LEG_OPEN)
		linger_reset(&worker_of(data)->lingering, &data->server.stream);
	/* A leg that is not whole is reset, so that neither side takes what it has for the file. */
	data_leg_close(data, &data->client, !whole);
	data_leg_close(data, &data->server, !whole);
	data->started = false;
	data->going = false;
	session_data_done(session, result);
}

/* A transfer that takes its time. The kernel counts the idle time before this, too. */
static void keep_alive(struct data *data)
{
	uint32_t idle_s = data->session->rule->ftp->datakeepalive_s;

	netsock_keepalive(data->client.stream.watch.fd, idle_s);
	netsock_keepalive(data->server.stream.watch.fd, idle_s);
	data->kept_alive = true;
}

static void on_timer(struct timer *timer)
{
	struct data *data = CONTAINER_OF(timer, struct data, timer);
	enum ftp_data_result late;

	if (!data->going)
		return;
	if (data->relaying && data->settle_ms != 0) {
		data_step(data);
		return;
	}
	if (data->relaying) {
		bool moved = data->relay.bytes != data->progress || !data->kept_alive;

		if (!data->kept_alive)
			keep_alive(data);
		data->progress = data->relay.bytes;
		if (!moved || loop_timer(loop_of(data), timer, STALL_MS) < 0)
			data_end(data, FTP_DATA_STALLED);
		return;
	}
	if (data->client.state == LEG_TLS) {
		late = FTP_DATA_TLS;
		log_event(LOG_LEVEL_INFO, "data-tls-failed", LOG_NUMBER("session", data->session->id),
			  LOG_TEXT("reason", "no end of the handshake within handshake_timeout"));
	} else if (data->client.state == LEG_READY || data->client.state == LEG_OPEN) {
		late = FTP_DATA_NO_SERVER;
	} else {
		late = FTP_DATA_NO_CLIENT;
	}
	data_end(data, late);
}

static void on_tick(struct timer *timer)
{
	struct data *data = CONTAINER_OF(timer, struct data, tick);

	if (data->relaying)
		loop_again(loop_of(data), &data->relay.from->watch); /* behind commands, as its events */
}

void data_init(struct data *data, struct session *session)
{
	struct loop *loop = &session->worker->loop;

	*data = (struct data){ .session = session };
	stream_init(&data->client.stream, loop, on_client);
	stream_init(&data->server.stream, loop, on_server);
	data->client.stream.watch.bulk = data->server.stream.watch.bulk = true;
	watch_init(&data->client.listener, NULL);
	watch_init(&data->server.listener, NULL);
	timer_init(&data->timer, on_timer);
	timer_init(&data->tick, on_tick);
}

void data_start(struct data *data, const struct ftp_act *act)
{
	if (act->text != data->command) {
		free(data->command);
		data->command = strndup(act->text, act->len); /* without memory there is no name in the log */
	}
	data->started = true;
	data->going = false;
	data->settle_ms = 0;
	data->upload = act->flag;
	data->protect = act->protect;
	data->started_ms = data->moved_ms = loop_of(data)->now_ms;
	data->relay = (struct relay){ .bytes = 0 };
	/* Many servers accept before they say 150, so this leg cannot wait for it. */
	if (data->server.state == LEG_TARGET) {
		data_leg_dial(data, FTP_SIDE_SERVER);
	} else if (data->server.target.port != 0 && data->server.listener.fd == -1 &&
		   data->server.state != LEG_DIALLING && data->server.state != LEG_ASKED &&
		   !data_leg_is_alive(&data->server)) {
		data_leg_close(data, &data->server, false);
		data_leg_dial(data, FTP_SIDE_SERVER);
	}
}

void data_go(struct data *data)
{
	data->going = true;
	if (data->client.state == LEG_TARGET)
		data_leg_dial_client(data);
	if (loop_timer(loop_of(data), &data->timer, CONNECT_MS) < 0) {
		data_end(data, FTP_DATA_ABORTED);
		return;
	}
	data_step(data);
}

void data_refused(struct data *data)
{
	data->started = false;
	data->going = false;
	loop_timer_stop(loop_of(data), &data->timer);
}

void data_close(struct data *data, bool reset)
{
	if (data->going) /* cut short: that, too, is to be found in the log */
		log_transfer(data, reset ? FTP_DATA_ABORTED : FTP_DATA_PENDING);
	loop_timer_stop(loop_of(data), &data->timer);
	loop_timer_stop(loop_of(data), &data->tick);
	count_relay(data, false);
	data_leg_close(data, &data->client, reset);
	data_leg_close(data, &data->server, reset);
	data_leg_withdraw(data);
	data->client.target = data->server.target = (struct ip_endpoint){ .port = 0 };
	free(data->command);
	data->command = NULL;
	data->started = data->going = false;
}

/* The TLS state of a data connection: bound to its session, or to nothing when policy wants no resumption. */
static struct ssl_st *new_ssl(const struct session *session)
{
	uint8_t nothing[TLS_BINDING_BYTES];

	if (session->rule->ftp->secure_session_reuse != SESSION_REUSE_NONE)
		return tlsctx_new(session->tlsctx, TLSCTX_DATA, session->binding);
	if (getrandom(nothing, sizeof(nothing), 0) != (ssize_t)sizeof(nothing))
		return NULL;
	return tlsctx_new(session->tlsctx, TLSCTX_DATA, nothing);
}

/* RFC 4217 15.1.2: where the control connection had a client certificate, the data connection has the same.
 */
static bool same_certificate(const struct session *session, const struct stream *stream)
{
	struct identity identity = { .present = false };
	bool same;

	if (!session->identity.present)
		return true;
	same = identity_get(stream, &identity) == 0 && identity_equal(&identity, &session->identity);
	identity_done(&identity);
	return same;
}

/* Protect the client's leg. Returns what went wrong, or FTP_DATA_PENDING to go on. */
static enum ftp_data_result leg_handshake(struct data *data)
{
	struct session *session = data->session;
	struct data_leg *leg = &data->client;

	if (leg->state == LEG_OPEN) {
		struct ssl_st *ssl = new_ssl(session);

		if (ssl == NULL || stream_tls_start(&leg->stream, ssl, session->rule->tls->ktls) < 0)
			return FTP_DATA_ABORTED;
		leg->state = LEG_TLS;
		if (loop_timer(loop_of(data), &data->timer, session->rule->tls->handshake_timeout_ms) < 0)
			return FTP_DATA_ABORTED;
	}
	switch (stream_tls_handshake(&leg->stream)) {
	case STREAM_OK:
		break;
	case STREAM_WAIT:
		if (loop_watch(loop_of(data), &leg->stream.watch,
			       EPOLLIN | (stream_is_drained(&leg->stream) ? 0 : EPOLLOUT)) < 0)
			return FTP_DATA_ABORTED;
		return FTP_DATA_PENDING;
	case STREAM_CLEAN:
	case STREAM_TRUNCATED:
	case STREAM_RESET:
		log_event(LOG_LEVEL_INFO, "data-tls-failed", LOG_NUMBER("session", session->id),
			  LOG_TEXT("reason", stream_tls_reason()));
		return FTP_DATA_TLS;
	}
	log_event(LOG_LEVEL_DEBUG, "data-tls", LOG_NUMBER("session", session->id),
		  LOG_TEXT("version", stream_tls_version(&leg->stream)),
		  LOG_TEXT("cipher", stream_tls_cipher(&leg->stream)),
		  LOG_TEXT("resumed", stream_tls_resumed(&leg->stream) ? "yes" : "no"),
		  LOG_TEXT("ktls", leg->stream.ktls != NULL ? "yes" : "no"));
	if (session->rule->ftp->secure_session_reuse == SESSION_REUSE_REQUIRED &&
	    !stream_tls_resumed(&leg->stream))
		return FTP_DATA_NOT_REUSED;
	if (!same_certificate(session, &leg->stream))
		return FTP_DATA_CERTIFICATE;
	leg->state = LEG_READY;
	/* what the client sends before the relay begins would raise an event for ever */
	(void)loop_watch(loop_of(data), &leg->stream.watch, 0); /* removing cannot fail */
	/* the rest of the time that connecting may take is the server's */
	return loop_timer(loop_of(data), &data->timer, CONNECT_MS) < 0 ? FTP_DATA_ABORTED : FTP_DATA_PENDING;
}

/* Bring both legs up and start the relay between them. */
static enum ftp_data_result data_connect(struct data *data)
{
	enum ftp_data_result result;

	data_leg_check(data, &data->client);
	data_leg_check(data, &data->server);
	if (!data->going)
		return FTP_DATA_PENDING;
	if (data->server.state == LEG_NONE)
		return FTP_DATA_NO_SERVER;
	if (data->client.state == LEG_NONE)
		return FTP_DATA_NO_CLIENT;
	if (data->client.state == LEG_OPEN && !data->protect)
		data->client.state = LEG_READY;
	if (data->client.state == LEG_OPEN || data->client.state == LEG_TLS) {
		result = leg_handshake(data);
		if (result != FTP_DATA_PENDING)
			return result;
	}
	if (data->client.state != LEG_READY || data->server.state != LEG_OPEN)
		return FTP_DATA_PENDING;
	relay_init(&data->relay, &data->client.stream, &data->server.stream, data->upload, data->relay.doubt);
	count_relay(data, true);
	data->progress = 0;
	data->kept_alive = false;
	if (loop_timer(loop_of(data), &data->timer, KEEPALIVE_AFTER_MS) < 0)
		return FTP_DATA_ABORTED;
	return FTP_DATA_PENDING;
}

/*
 * The last bytes are out: ask for the acknowledgement again a little later,
 * each time a little more patiently, as long as it makes progress.
 */
static enum ftp_data_result data_settle(struct data *data)
{
	uint64_t left = netsock_unacknowledged(data->relay.to->watch.fd);
	uint64_t now_ms = loop_of(data)->now_ms;

	if (data->settle_ms == 0 || left != data->progress) {
		data->progress = left;
		data->progress_ms = now_ms;
	} else if (now_ms - data->progress_ms > SETTLE_TIMEOUT_MS) {
		return FTP_DATA_STALLED;
	}
	data->settle_ms = data->settle_ms == 0 ? SETTLE_INITIAL_MS : data->settle_ms * 2;
	if (data->settle_ms > SETTLE_MAX_MS)
		data->settle_ms = SETTLE_MAX_MS;
	return loop_timer(loop_of(data), &data->timer, data->settle_ms) < 0 ? FTP_DATA_ABORTED
									    : FTP_DATA_PENDING;
}

/* Events were asked for; while the kernel keeps some back, a tick is as good as one. */
static enum ftp_data_result data_wait(struct data *data)
{
	if (!data->relay.coalesce.on || timer_is_armed(&data->tick))
		return FTP_DATA_PENDING;
	return loop_timer(loop_of(data), &data->tick, COALESCE_TICK_MS) < 0 ? FTP_DATA_ABORTED
									    : FTP_DATA_PENDING;
}

static enum ftp_data_result data_relay(struct data *data)
{
	uint64_t bytes = data->relay.bytes;
	enum relay_result result = relay_step(&data->relay, &worker_of(data)->tools);

	if (data->relay.bytes != bytes)
		data->moved_ms = loop_of(data)->now_ms;
	switch (result) {
	case RELAY_WAIT:
		return data_wait(data);
	case RELAY_AGAIN:
		loop_again(loop_of(data), &data->relay.from->watch);
		return FTP_DATA_PENDING;
	case RELAY_SETTLE:
		return data_settle(data);
	case RELAY_DONE:
		return FTP_DATA_OK;
	case RELAY_CUT:
		return FTP_DATA_CUT;
	case RELAY_FROM_LOST:
		return data->upload ? FTP_DATA_CLIENT_LOST : FTP_DATA_SERVER_LOST;
	case RELAY_TO_LOST:
		return data->upload ? FTP_DATA_SERVER_LOST : FTP_DATA_CLIENT_LOST;
	}
	return FTP_DATA_ABORTED;
}

void data_step(struct data *data)
{
	enum ftp_data_result result = FTP_DATA_PENDING;

	if (!data->relaying)
		result = data_connect(data);
	if (result == FTP_DATA_PENDING && data->relaying)
		result = data_relay(data);
	if (result != FTP_DATA_PENDING)
		data_end(data, result);
}
