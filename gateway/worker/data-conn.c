/*
 * The life of a data connection: it brings up both legs, protected as PROT says, relays, waits
 * for the last acknowledgement, and passes on the end of a stream as what it was: whole, cut or reset.
 */
#include "gateway/worker/data-conn.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/net/netsock.h"
#include "gateway/net/stream-tls.h"
#include "gateway/worker/data-end.h"
#include "gateway/worker/data-gssapi.h"
#include "gateway/worker/data-handshake.h"
#include "gateway/worker/data-kept.h"
#include "gateway/worker/data-log.h"
#include "gateway/worker/data-result.h"
#include "gateway/worker/data-tls.h"
#include "gateway/worker/last-look.h"
#include "gateway/worker/session-log.h"
#include "gateway/worker/tally.h"

/* TCP keep-alive takes four system calls a leg, and most transfers end before it could matter. */
#define KEEPALIVE_AFTER_MS 1000

static struct worker *worker_of(const struct data_conn *data)
{
	return data->legs.worker;
}

static const struct ftp_action *action_of(const struct data_conn *data)
{
	return data->legs.facts->rule->ftp;
}

static struct loop *loop_of(const struct data_conn *data)
{
	return &worker_of(data)->loop;
}

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
	const struct data_log log = {
		.legs = &data->legs,
		.command = data->command,
		.upload = data->upload,
		.binary = data->binary,
		.mode = data->mode,
		.level = data_conn_level(data),
		.server_level = data_conn_server_level(data),
		.bytes = data->relay.bytes,
		.ms = loop_of(data)->now_ms - data->started_ms,
		.result = result,
	};

	tally_transfer(data->upload, log.level, result, log.ms);
	data_log_transfer(&log);
}

static int time_handshake(struct data_conn *data)
{
	return loop_timer(loop_of(data), &data->timer, data->legs.facts->rule->tls->handshake_timeout_ms);
}

/*
 * Protect the client's leg. The clock runs once the server has agreed: before
 * that the client may wait for the 150, however long the server takes.
 */
static enum ftp_data_result protect_client(struct data_conn *data)
{
	const struct data_leg *leg = &data->legs.client;
	bool fresh = leg->state == LEG_OPEN;
	enum ftp_data_result result = data_tls_step(&data->legs);
	int r = 0;

	if (result != FTP_DATA_PENDING || data->state != DATA_CONNECTING)
		return result;
	if (leg->state == LEG_READY) /* the rest of the time is for the server */
		r = data_conn_time(data);
	else if (fresh)
		r = time_handshake(data);
	return r < 0 ? FTP_DATA_ABORTED : FTP_DATA_PENDING;
}

static bool is_protected(struct data_conn *data)
{
	return data->state == DATA_IDLE ? data->owner->protects(data) : data->protect;
}

/*
 * The client has connected before its transfer command, or before the server has
 * agreed. Many clients begin TLS at once and send nothing more until it is done.
 * Some servers accept before they answer PASV, so their leg is dialled now, too.
 */
static enum ftp_data_result data_prepare(struct data_conn *data)
{
	struct data_leg *client = &data->legs.client;
	enum ftp_data_result result = FTP_DATA_PENDING;

	if (client->state != LEG_OPEN && client->state != LEG_TLS)
		return FTP_DATA_PENDING;
	if (data->legs.server.state == LEG_TARGET)
		data_dial_early(&data->dial);
	if (is_protected(data))
		result = protect_client(data);
	return result;
}

/* The server has agreed, and is connected: protect its leg, if need be. */
static enum ftp_data_result protect_server(struct data_conn *data)
{
	const struct data_leg *leg = &data->legs.server;
	uint32_t limit_ms;

	if (!data->protect_server || (leg->state != LEG_OPEN && leg->state != LEG_TLS))
		return FTP_DATA_PENDING;
	limit_ms = data->legs.facts->rule->backend->tls->handshake_timeout_ms;
	if (leg->state == LEG_OPEN && loop_timer(loop_of(data), &data->timer, limit_ms) < 0)
		return FTP_DATA_ABORTED;
	return data_server_tls_step(&data->legs);
}

/* Bring both legs up and start the relay between them. */
static enum ftp_data_result data_connect(struct data_conn *data)
{
	enum ftp_data_result result;

	data_legs_check(&data->legs, &data->legs.client);
	data_legs_check(&data->legs, &data->legs.server);
	if (data->state != DATA_CONNECTING)
		return data_prepare(data);
	if (data->legs.server.state == LEG_NONE)
		return FTP_DATA_NO_SERVER;
	if (data->legs.client.state == LEG_NONE)
		return FTP_DATA_NO_CLIENT;
	result = protect_server(data);
	if (result == FTP_DATA_PENDING)
		result = data_gssapi_start(&data->legs, data->gssapi, data->block, data->upload);
	if (result != FTP_DATA_PENDING)
		return result;
	if (data->legs.client.state == LEG_OPEN && !data->protect)
		data->legs.client.state = LEG_READY;
	if (data->legs.client.state == LEG_OPEN || data->legs.client.state == LEG_TLS) {
		result = protect_client(data);
		if (result != FTP_DATA_PENDING)
			return result;
	}
	if (data->legs.client.state != LEG_READY ||
	    data->legs.server.state != (data->protect_server ? LEG_READY : LEG_OPEN))
		return FTP_DATA_PENDING;
	relay_init(&data->relay, &data->legs.client.stream, &data->legs.server.stream, data->upload,
		   data->relay.doubt);
	relay_follow(&data->relay, data->mode, !data->listing, data->upload ? &data->ahead : NULL);
	last_look_before_end(&data->relay, &data->legs.control, data->upload);
	data->relay.awaits_word = data->gssapi != FTP_PROT_CLEAR && !data->upload && !data->agreed;
	set_state(data, DATA_RELAYING);
	data->moved_ms = loop_of(data)->now_ms;
	data->kept_alive = false;
	return loop_timer(loop_of(data), &data->timer, KEEPALIVE_AFTER_MS) < 0 ? FTP_DATA_ABORTED
									       : FTP_DATA_PENDING;
}

/* The last bytes are sent: look for their acknowledgement at growing intervals while it makes progress. */
static enum ftp_data_result settle(struct data_conn *data)
{
	uint64_t left = netsock_unacknowledged(data->relay.to->watch.fd);
	uint64_t limit_ms = (uint64_t)action_of(data)->dconntime_s * 1000;
	uint32_t wait_ms;

	if (data->state != DATA_SETTLING)
		data_settle_begin(&data->settle, left, loop_of(data)->now_ms);
	set_state(data, DATA_SETTLING);
	wait_ms = data_settle_wait_ms(&data->settle, left, loop_of(data)->now_ms, limit_ms);
	if (wait_ms == 0)
		return FTP_DATA_STALLED;
	return loop_timer(loop_of(data), &data->timer, wait_ms) < 0 ? FTP_DATA_ABORTED : FTP_DATA_PENDING;
}

/* Events will come; while the kernel collects bytes, a tick comes in their place. */
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

	if (data->relay.bytes != bytes) {
		data->moved_ms = loop_of(data)->now_ms;
		tally_bytes(data->upload, data_conn_level(data), data_conn_server_level(data),
			    data->relay.bytes - bytes);
		data_rate_note(&data->rate, data->relay.bytes, data->moved_ms);
	}
	if (result == RELAY_WAIT)
		return data_wait(data);
	if (result == RELAY_SETTLE)
		return settle(data);
	if (result == RELAY_AGAIN)
		loop_again(loop_of(data), &data->relay.from->watch);
	data->kept = result == RELAY_FILE_ENDED;
	return data_gssapi_result(&data->legs.client.stream, data_result_of(result, data->upload));
}

/* The data part of the transfer is over: clean up, log it, tell the session. */
static void data_end(struct data_conn *data, enum ftp_data_result result)
{
	bool begun = data_conn_is_relaying(data);

	log_transfer(data, result);
	data->legs.told.reason = "time-out";
	data->legs.told.pointless = result != FTP_DATA_NO_CLIENT;
	set_state(data, DATA_IDLE);
	data_legs_withdraw(&data->legs);
	loop_timer_stop(loop_of(data), &data->timer);
	loop_timer_stop(loop_of(data), &data->tick);
	data_server_tls_end(&data->legs);
	if (data->kept)
		loop_again(loop_of(data), &data->relay.from->watch); /* for what comes next */
	else
		data_end_legs(&data->legs, result, begun, data->failed);
	data->owner->done(data, result);
}

/* Something has happened to one of the legs. */
static void data_step(struct data_conn *data)
{
	enum ftp_data_result result = FTP_DATA_PENDING;

	if (data->kept) {
		data->kept = data_kept_step(&data->legs, &data->relay, data_conn_level(data),
					    data_conn_server_level(data));
		if (!data->kept)
			data->owner->over(data);
		return;
	}
	if (!data_conn_is_relaying(data))
		result = data_connect(data);
	if (result == FTP_DATA_PENDING && data_conn_is_relaying(data))
		result = data_relay(data);
	if (data->state != DATA_IDLE) {
		if (result != FTP_DATA_PENDING)
			data_end(data, result);
		return;
	}
	data_handshake_look(&data->handshake, result);
	data_dial_check(&data->dial);
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

	if (side == FTP_SIDE_CLIENT && endpoint != NULL) /* the port may have been waited for */
		(void)data_conn_time(data);		 /* as in data_conn_listen() */
	data->owner->listening(data, side, endpoint);
}

/* Has a byte moved lately (DATACTTIME)? The first look comes early, to turn keep-alive on. */
static void look_for_standstill(struct data_conn *data)
{
	uint64_t limit_ms = (uint64_t)action_of(data)->datacttime_s * 1000;
	uint64_t idle_ms = loop_of(data)->now_ms - data->moved_ms;

	if (!data->kept_alive)
		data_legs_keep_alive(&data->legs);
	data->kept_alive = true;
	if (idle_ms >= limit_ms || loop_timer(loop_of(data), &data->timer, limit_ms - idle_ms) < 0)
		data_end(data, FTP_DATA_STALLED);
}

static void on_timer(struct timer *timer)
{
	struct data_conn *data = CONTAINER_OF(timer, struct data_conn, timer);

	switch (data->state) {
	case DATA_IDLE: /* an upload that waits for the client has a timer of its own */
		if (!data->handshake.wanted)
			data_legs_give_port(&data->legs, "time-out");
		break;
	case DATA_REQUESTED:
		break;
	case DATA_CONNECTING:
		data_end(data, data_end_late(&data->legs, &data->handshake));
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

static void on_dialled(struct data_dial *dial, bool up)
{
	struct data_conn *data = CONTAINER_OF(dial, struct data_conn, dial);

	data->owner->dialled(data, up);
}

/* The handshake before a transfer. If it fails while an upload waits for it, the upload is over. */
static void on_handshake(struct data_handshake *handshake, enum ftp_handshake state,
			 enum ftp_data_result result)
{
	struct data_conn *data = CONTAINER_OF(handshake, struct data_conn, handshake);

	if (handshake->wanted && result != FTP_DATA_PENDING)
		log_transfer(data, result);
	data->owner->handshake(data, state, result);
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
	data_dial_init(&data->dial, legs, on_dialled);
	data_handshake_init(&data->handshake, legs, on_handshake);
}

/* PROT may have changed since the client connected. TLS that has begun cannot become clear. */
static void agree_on_protection(struct data_conn *data)
{
	struct data_leg *leg = &data->legs.client;

	if (data->protect || (leg->state != LEG_TLS && leg->state != LEG_READY))
		return;
	if (leg->state == LEG_TLS && !data_tls_has_begun(leg))
		data_tls_cancel(&data->legs);
	else
		data_legs_close(&data->legs, leg, true);
	loop_timer_stop(loop_of(data), &data->timer);
}

static void begin(struct data_conn *data)
{
	set_state(data, DATA_REQUESTED);
	data_dial_forget(&data->dial);
	data->settle = (struct data_settle){ .wait_ms = 0 };
	data->started_ms = data->moved_ms = loop_of(data)->now_ms;
	data_rate_begin(&data->rate, data->moved_ms);
	data->failed = data->agreed = false;
	data_handshake_pass(&data->handshake);
	data->relay = (struct relay){ .bytes = 0 };
	data->reused = data->kept;
	data->kept = false;
	if (data->reused) {
		data_kept_pause(&data->legs);
		return;
	}
	data->ahead = (struct ftp_frame_ahead){ .files = 0 };
	data_dial_server(&data->legs);
	agree_on_protection(data);
	data_step(data);
}

static void take_command(struct data_conn *data, const struct ftp_act *act, bool upload, bool protect)
{
	free(data->command);
	data->command = strndup(act->text, act->len); /* without memory the log lacks the command */
	data->upload = upload;
	data->binary = act->binary;
	data->mode = act->mode;
	data->protect = protect;
	data->started_ms = data->moved_ms = loop_of(data)->now_ms;
	data->relay = (struct relay){ .bytes = 0 };
}

void data_conn_secure(struct data_conn *data, const struct ftp_act *act)
{
	take_command(data, act, true, true);
	data_handshake_want(&data->handshake, (uint64_t)action_of(data)->datatimeout_s * 1000);
}

void data_conn_start(struct data_conn *data, const struct ftp_act *act)
{
	take_command(data, act, act->upload, act->protect);
	data->protect_server = act->protect_server;
	data->listing = act->listing;
	data->gssapi = (enum ftp_prot)act->gssapi;
	data->block = act->number;
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
	if ((data->legs.client.state == LEG_TLS ? time_handshake(data) : data_conn_time(data)) < 0)
		data_end(data, FTP_DATA_ABORTED);
	else
		data_step(data);
}

void data_conn_refused(struct data_conn *data)
{
	set_state(data, DATA_IDLE);
	data->kept = data->reused;
	if (data->kept) {
		data_kept_again(&data->legs, &data->relay, data->upload, data->mode, &data->ahead);
		return;
	}
	data->legs.told.pointless = true;
	(void)data_conn_time(data); /* if it fails, the port stays until the session ends */
	data_handshake_look(&data->handshake, FTP_DATA_PENDING); /* it may still run */
}

void data_conn_close(struct data_conn *data, bool reset)
{
	/* a server that has a command would take an orderly end for that of its file */
	reset = reset || data->state != DATA_IDLE;
	if (data->state >= DATA_CONNECTING) /* the log must also show transfers that are cut short */
		log_transfer(data, reset ? FTP_DATA_ABORTED : FTP_DATA_PENDING);
	loop_timer_stop(loop_of(data), &data->timer);
	loop_timer_stop(loop_of(data), &data->tick);
	set_state(data, DATA_IDLE);
	data_dial_forget(&data->dial);
	if (data->kept && !reset)
		data_kept_close(&data->legs);
	data->kept = data->reused = false;
	data_legs_close(&data->legs, &data->legs.client, reset);
	data_legs_close(&data->legs, &data->legs.server, reset);
	data_legs_withdraw(&data->legs);
	data->legs.client.target = data->legs.server.target = (struct ip_endpoint){ .port = 0 };
	data_handshake_forget(&data->handshake);
	free(data->command);
	data->command = NULL;
}
