/*
 * The life of a data connection: asked for, both legs up (the client's under
 * TLS where PROT P is in force), relayed, settled, and its end. The end of a
 * stream is carried over as what it was: whole, cut or reset.
 */
#include "gateway/worker/data-conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/net/netsock.h"
#include "gateway/net/stream-ktls.h"
#include "gateway/net/stream-tls.h"

/* From the server's go-ahead until both legs are ready. */
#define CONNECT_MS 60000
/* Give up after this time without a byte. It is long, since a tape may keep a file waiting. */
#define STALL_MS (30 * 60 * 1000)
/* TCP keep-alive takes four system calls a leg, and most files are gone before it could matter. */
#define KEEPALIVE_AFTER_MS 1000
/* How often the client's acknowledgement is looked for, at first and at most; and the end of patience. */
#define SETTLE_INITIAL_MS 5
#define SETTLE_MAX_MS	  200
#define SETTLE_TIMEOUT_MS 60000

static struct worker *worker_of(const struct data_conn *data)
{
	return data->legs.worker;
}

static struct loop *loop_of(const struct data_conn *data)
{
	return &worker_of(data)->loop;
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

/* The only writer of the state; counts transfers under way for the monitor. */
static void set_state(struct data_conn *data, enum data_state state)
{
	bool relayed = data_conn_is_relaying(data);

	data->state = state;
	if (data_conn_is_relaying(data) != relayed)
		*worker_of(data)->relays += relayed ? -1u : 1u;
}

static void log_transfer(const struct data_conn *data, enum ftp_data_result result)
{
	log_event(LOG_LEVEL_INFO, "transfer", LOG_NUMBER("session", data->legs.facts->id),
		  LOG_TEXT("direction", data->upload ? "upload" : "download"),
		  LOG_TEXT("command", data->command != NULL ? data->command : ""),
		  LOG_TEXT("prot", data->protect ? "P" : "C"), LOG_NUMBER("bytes", data->relay.bytes),
		  LOG_NUMBER("ms", loop_of(data)->now_ms - data->started_ms),
		  LOG_TEXT("result", result_names[result]));
}

/* The TLS state of a data connection: bound to its session, or to nothing when policy wants no resumption. */
static struct ssl_st *new_ssl(const struct facts *facts)
{
	uint8_t nothing[TLS_BINDING_BYTES];

	if (facts->rule->ftp->secure_session_reuse != SESSION_REUSE_NONE)
		return tlsctx_new(facts->tlsctx, TLSCTX_DATA, facts->binding);
	if (getrandom(nothing, sizeof(nothing), 0) != (ssize_t)sizeof(nothing))
		return NULL;
	return tlsctx_new(facts->tlsctx, TLSCTX_DATA, nothing);
}

/* RFC 4217 15.1.2: where the control connection had a client certificate, the data connection has the same.
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

/* Protect the client's leg. Returns what went wrong, or FTP_DATA_PENDING to go on. */
static enum ftp_data_result leg_handshake(struct data_conn *data)
{
	const struct facts *facts = data->legs.facts;
	struct data_leg *leg = &data->legs.client;

	if (leg->state == LEG_OPEN) {
		struct ssl_st *ssl = new_ssl(facts);

		if (ssl == NULL || stream_tls_start(&leg->stream, ssl, facts->rule->tls->ktls) < 0)
			return FTP_DATA_ABORTED;
		leg->state = LEG_TLS;
		if (loop_timer(loop_of(data), &data->timer, facts->rule->tls->handshake_timeout_ms) < 0)
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
		log_event(LOG_LEVEL_INFO, "data-tls-failed", LOG_NUMBER("session", facts->id),
			  LOG_TEXT("reason", stream_tls_reason()));
		return FTP_DATA_TLS;
	}
	log_event(LOG_LEVEL_DEBUG, "data-tls", LOG_NUMBER("session", facts->id),
		  LOG_TEXT("version", stream_tls_version(&leg->stream)),
		  LOG_TEXT("cipher", stream_tls_cipher(&leg->stream)),
		  LOG_TEXT("resumed", stream_tls_resumed(&leg->stream) ? "yes" : "no"),
		  LOG_TEXT("ktls", leg->stream.ktls != NULL ? "yes" : "no"));
	if (facts->rule->ftp->secure_session_reuse == SESSION_REUSE_REQUIRED &&
	    !stream_tls_resumed(&leg->stream))
		return FTP_DATA_NOT_REUSED;
	if (!same_certificate(facts, &leg->stream))
		return FTP_DATA_CERTIFICATE;
	leg->state = LEG_READY;
	/* what the client sends before the relay begins would raise an event for ever */
	(void)loop_watch(loop_of(data), &leg->stream.watch, 0); /* removing cannot fail */
	/* the rest of the time that connecting may take is the server's */
	return loop_timer(loop_of(data), &data->timer, CONNECT_MS) < 0 ? FTP_DATA_ABORTED : FTP_DATA_PENDING;
}

/* Bring both legs up and start the relay between them. */
static enum ftp_data_result data_connect(struct data_conn *data)
{
	enum ftp_data_result result;

	data_legs_check(&data->legs, &data->legs.client);
	data_legs_check(&data->legs, &data->legs.server);
	if (data->state != DATA_CONNECTING)
		return FTP_DATA_PENDING;
	if (data->legs.server.state == LEG_NONE)
		return FTP_DATA_NO_SERVER;
	if (data->legs.client.state == LEG_NONE)
		return FTP_DATA_NO_CLIENT;
	if (data->legs.client.state == LEG_OPEN && !data->protect)
		data->legs.client.state = LEG_READY;
	if (data->legs.client.state == LEG_OPEN || data->legs.client.state == LEG_TLS) {
		result = leg_handshake(data);
		if (result != FTP_DATA_PENDING)
			return result;
	}
	if (data->legs.client.state != LEG_READY || data->legs.server.state != LEG_OPEN)
		return FTP_DATA_PENDING;
	relay_init(&data->relay, &data->legs.client.stream, &data->legs.server.stream, data->upload,
		   data->relay.doubt);
	set_state(data, DATA_RELAYING);
	data->moved_bytes = 0;
	data->kept_alive = false;
	if (loop_timer(loop_of(data), &data->timer, KEEPALIVE_AFTER_MS) < 0)
		return FTP_DATA_ABORTED;
	return FTP_DATA_PENDING;
}

/*
 * The last bytes are out: ask for the acknowledgement again a little later,
 * each time a little more patiently, as long as it makes progress.
 */
static enum ftp_data_result data_settle(struct data_conn *data)
{
	uint64_t left = netsock_unacknowledged(data->relay.to->watch.fd);
	uint64_t now_ms = loop_of(data)->now_ms;

	if (data->state != DATA_SETTLING || left != data->unsettled_bytes) {
		data->unsettled_bytes = left;
		data->unsettled_ms = now_ms;
	} else if (now_ms - data->unsettled_ms > SETTLE_TIMEOUT_MS) {
		return FTP_DATA_STALLED;
	}
	set_state(data, DATA_SETTLING);
	data->settle_ms = data->settle_ms == 0 ? SETTLE_INITIAL_MS : data->settle_ms * 2;
	if (data->settle_ms > SETTLE_MAX_MS)
		data->settle_ms = SETTLE_MAX_MS;
	return loop_timer(loop_of(data), &data->timer, data->settle_ms) < 0 ? FTP_DATA_ABORTED
									    : FTP_DATA_PENDING;
}

/* Events were asked for; while the kernel keeps some back, a tick is as good as one. */
static enum ftp_data_result data_wait(struct data_conn *data)
{
	if (!data->relay.coalesce.on || timer_is_armed(&data->tick))
		return FTP_DATA_PENDING;
	return loop_timer(loop_of(data), &data->tick, COALESCE_TICK_MS) < 0 ? FTP_DATA_ABORTED
									    : FTP_DATA_PENDING;
}

static enum ftp_data_result data_relay(struct data_conn *data)
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

/* The transfer's data part is over: tidy up, log it, tell the session. */
static void data_end(struct data_conn *data, enum ftp_data_result result)
{
	bool whole = result == FTP_DATA_OK;
	bool begun = data_conn_is_relaying(data);

	if (data->legs.client.stream.ktls != NULL && data->legs.client.stream.ktls->rekeyed)
		log_event(LOG_LEVEL_INFO, "ktls-key-update", LOG_NUMBER("session", data->legs.facts->id),
			  LOG_TEXT("fix", "ktls: false in the tls_action of clients that change keys"));
	log_transfer(data, result);
	set_state(data, DATA_IDLE);
	data_legs_withdraw(&data->legs);
	loop_timer_stop(loop_of(data), &data->timer);
	loop_timer_stop(loop_of(data), &data->tick);
	if (result == FTP_DATA_TLS)
		(void)stream_finish(&data->legs.client.stream); /* lets the alert reach the client */
	if (whole || result == FTP_DATA_TLS)
		linger_take(&worker_of(data)->lingering, &data->legs.client.stream);
	if (whole)
		linger_take(&worker_of(data)->lingering, &data->legs.server.stream);
	if (!whole && !begun && data->legs.server.state == LEG_OPEN)
		linger_reset(&worker_of(data)->lingering, &data->legs.server.stream);
	/* A leg that is not whole is reset, so that neither side takes what it has for the file. */
	data_legs_close(&data->legs, &data->legs.client, !whole);
	data_legs_close(&data->legs, &data->legs.server, !whole);
	data->owner->done(data, result);
}

/* Something has happened to one of the legs: go on. */
static void data_step(struct data_conn *data)
{
	enum ftp_data_result result = FTP_DATA_PENDING;

	if (!data_conn_is_relaying(data))
		result = data_connect(data);
	if (result == FTP_DATA_PENDING && data_conn_is_relaying(data))
		result = data_relay(data);
	if (result != FTP_DATA_PENDING)
		data_end(data, result);
}

static void on_client(struct watch *watch, uint32_t ready)
{
	(void)ready;
	data_step(CONTAINER_OF(watch, struct data_conn, legs.client.stream.watch));
}

static void on_server(struct watch *watch, uint32_t ready)
{
	(void)ready;
	data_step(CONTAINER_OF(watch, struct data_conn, legs.server.stream.watch));
}

static void on_leg_change(struct data_legs *legs)
{
	data_step(CONTAINER_OF(legs, struct data_conn, legs));
}

static void on_leg_listening(struct data_legs *legs, enum ftp_side side, const struct ip_endpoint *endpoint)
{
	struct data_conn *data = CONTAINER_OF(legs, struct data_conn, legs);

	data->owner->listening(data, side, endpoint);
}

/* Both legs are not up in time: whose fault is it? */
static void connect_timeout(struct data_conn *data)
{
	enum ftp_data_result late = FTP_DATA_NO_CLIENT;

	if (data->legs.client.state == LEG_TLS) {
		late = FTP_DATA_TLS;
		log_event(LOG_LEVEL_INFO, "data-tls-failed", LOG_NUMBER("session", data->legs.facts->id),
			  LOG_TEXT("reason", "no end of the handshake within handshake_timeout"));
	} else if (data->legs.client.state == LEG_READY || data->legs.client.state == LEG_OPEN) {
		late = FTP_DATA_NO_SERVER;
	}
	data_end(data, late);
}

/* A transfer that takes its time. The kernel counts the idle time before this, too. */
static void keep_alive(struct data_conn *data)
{
	uint32_t idle_s = data->legs.facts->rule->ftp->datakeepalive_s;

	netsock_keepalive(data->legs.client.stream.watch.fd, idle_s);
	netsock_keepalive(data->legs.server.stream.watch.fd, idle_s);
	data->kept_alive = true;
}

/* Has anything moved since the last look? The first look comes early, to turn keep-alive on. */
static void look_for_standstill(struct data_conn *data)
{
	bool moved = data->relay.bytes != data->moved_bytes || !data->kept_alive;

	if (!data->kept_alive)
		keep_alive(data);
	data->moved_bytes = data->relay.bytes;
	if (!moved || loop_timer(loop_of(data), &data->timer, STALL_MS) < 0)
		data_end(data, FTP_DATA_STALLED);
}

static void on_timer(struct timer *timer)
{
	struct data_conn *data = CONTAINER_OF(timer, struct data_conn, timer);

	switch (data->state) {
	case DATA_IDLE:
	case DATA_REQUESTED:
		break;
	case DATA_CONNECTING:
		connect_timeout(data);
		break;
	case DATA_RELAYING:
		look_for_standstill(data);
		break;
	case DATA_SETTLING:
		data_step(data);
		break;
	}
}

static void on_tick(struct timer *timer)
{
	struct data_conn *data = CONTAINER_OF(timer, struct data_conn, tick);

	if (data_conn_is_relaying(data))
		loop_again(loop_of(data), &data->relay.from->watch); /* after commands, as its events */
}

void data_conn_init(struct data_conn *data, struct worker *worker, const struct facts *facts,
		    const struct data_control *control, const struct data_owner *owner)
{
	struct data_legs *legs = &data->legs;

	*data = (struct data_conn){
		.legs = {
			.worker = worker,
			.facts = facts,
			.control = *control,
			.on_change = on_leg_change,
			.on_listening = on_leg_listening,
		},
		.owner = owner,
	};
	stream_init(&legs->client.stream, &worker->loop, on_client);
	stream_init(&legs->server.stream, &worker->loop, on_server);
	legs->client.stream.watch.bulk = legs->server.stream.watch.bulk = true;
	watch_init(&legs->client.listener, NULL);
	watch_init(&legs->server.listener, NULL);
	timer_init(&data->timer, on_timer);
	timer_init(&data->tick, on_tick);
}

int data_conn_listen(struct data_conn *data, enum ftp_side side, struct ip_endpoint *ret_endpoint)
{
	return data_legs_listen(&data->legs, side, ret_endpoint);
}

void data_conn_target(struct data_conn *data, enum ftp_side side, const struct ip_endpoint *target)
{
	data_legs_target(&data->legs, side, target);
}

void data_conn_granted(struct data_conn *data, const struct msg *msg, int *fd)
{
	data_legs_granted(&data->legs, msg, fd);
}

/* Many servers accept before they say 150, so this leg cannot wait for it. */
static void dial_server(struct data_conn *data)
{
	struct data_leg *leg = &data->legs.server;

	if (leg->state == LEG_TARGET) {
		data_legs_dial(&data->legs, FTP_SIDE_SERVER);
	} else if (leg->target.port != 0 && leg->listener.fd == -1 && leg->state != LEG_DIALLING &&
		   leg->state != LEG_ASKED && !data_leg_is_alive(leg)) {
		data_legs_close(&data->legs, leg, false);
		data_legs_dial(&data->legs, FTP_SIDE_SERVER);
	}
}

static void begin(struct data_conn *data)
{
	set_state(data, DATA_REQUESTED);
	data->settle_ms = 0;
	data->started_ms = data->moved_ms = loop_of(data)->now_ms;
	data->relay = (struct relay){ .bytes = 0 };
	dial_server(data);
}

void data_conn_start(struct data_conn *data, const char *command, size_t len, bool upload, bool protect)
{
	free(data->command);
	data->command = strndup(command, len); /* without memory there is no name in the log */
	data->upload = upload;
	data->protect = protect;
	begin(data);
}

const char *data_conn_restart(struct data_conn *data)
{
	if (data->command != NULL)
		begin(data);
	return data->command;
}

void data_conn_go(struct data_conn *data)
{
	set_state(data, DATA_CONNECTING);
	if (data->legs.client.state == LEG_TARGET)
		data_legs_dial_client(&data->legs);
	if (loop_timer(loop_of(data), &data->timer, CONNECT_MS) < 0) {
		data_end(data, FTP_DATA_ABORTED);
		return;
	}
	data_step(data);
}

void data_conn_refused(struct data_conn *data)
{
	set_state(data, DATA_IDLE);
	loop_timer_stop(loop_of(data), &data->timer);
}

void data_conn_doubt(struct data_conn *data)
{
	data->relay.doubt = true;
}

void data_conn_close(struct data_conn *data, bool reset)
{
	if (data->state >= DATA_CONNECTING) /* cut short: that, too, is to be found in the log */
		log_transfer(data, reset ? FTP_DATA_ABORTED : FTP_DATA_PENDING);
	loop_timer_stop(loop_of(data), &data->timer);
	loop_timer_stop(loop_of(data), &data->tick);
	set_state(data, DATA_IDLE);
	data_legs_close(&data->legs, &data->legs.client, reset);
	data_legs_close(&data->legs, &data->legs.server, reset);
	data_legs_withdraw(&data->legs);
	data->legs.client.target = data->legs.server.target = (struct ip_endpoint){ .port = 0 };
	free(data->command);
	data->command = NULL;
}

bool data_conn_status(const struct data_conn *data, struct data_status *ret_status)
{
	uint64_t now_ms = loop_of(data)->now_ms;

	if (data->state == DATA_IDLE)
		return false;
	*ret_status = (struct data_status){
		.command = data->command != NULL ? data->command : "?",
		.protect = data->protect,
		.bytes = data->relay.bytes,
		.idle_ms = now_ms - data->moved_ms,
		.transfer_ms = now_ms - data->started_ms,
	};
	return true;
}
