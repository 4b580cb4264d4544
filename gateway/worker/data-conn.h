/*
 * The data connection of a session: two legs, then a relay between them. It is a
 * member of the session, and knows no FTP commands.
 */
#ifndef ATTLSD_GATEWAY_WORKER_DATA_CONN_H
#define ATTLSD_GATEWAY_WORKER_DATA_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/net/relay.h"
#include "gateway/net/stream-tls.h"
#include "gateway/worker/data-dial.h"
#include "gateway/worker/data-grant.h"
#include "gateway/worker/data-handshake.h"
#include "gateway/worker/data-leg.h"
#include "gateway/worker/data-rate.h"
#include "gateway/worker/data-server-tls.h"
#include "gateway/worker/data-settle.h"

/* The state of the transfer. The legs have states of their own. */
enum data_state {
	DATA_IDLE = 0,
	DATA_REQUESTED,	 /* the server was sent the transfer command */
	DATA_CONNECTING, /* it has agreed, or the client's leg need not wait for that: bring both legs up */
	DATA_RELAYING,
	DATA_SETTLING, /* all is sent, and the receiver's acknowledgement is awaited */
};

struct data_conn;

/* Callbacks to the owner. */
struct data_owner {
	/* A port is open for one side, or none is available (endpoint is NULL). */
	void (*listening)(struct data_conn *data, enum ftp_side side, const struct ip_endpoint *endpoint);
	/* Is PROT P in force? Asked while no transfer is under way. */
	bool (*protects)(struct data_conn *data);
	/*
	 * While no transfer is under way: where the handshake with the client stands, or it has
	 * failed (result is not FTP_DATA_PENDING).
	 */
	void (*handshake)(struct data_conn *data, enum ftp_handshake state, enum ftp_data_result result);
	/* While no transfer is under way: dialling the server has succeeded or failed. */
	void (*dialled)(struct data_conn *data, bool up);
	/* The data part of the transfer is over. The connection may be open: data->kept. */
	void (*done)(struct data_conn *data, enum ftp_data_result result);
	/* Such a connection has ended. */
	void (*over)(struct data_conn *data);
};

struct data_conn {
	struct data_legs legs;
	const struct data_owner *owner;
	enum data_state state;
	struct timer timer; /* limits connecting, stalling or settling, by state */
	struct timer tick;  /* of a relay that coalesces */
	struct data_dial dial;
	struct data_handshake handshake; /* before the transfer */
	bool upload, binary, listing;
	char mode;   /* as ftp_representation_mode() */
	bool kept;   /* both legs are up after a transfer, see data-kept.h; it is DATA_IDLE */
	bool reused; /* they were when this transfer began */
	struct ftp_frame_ahead ahead; /* what the client has sent over them of its next uploads */
	bool protect;		      /* the client's leg, by TLS */
	enum ftp_prot gssapi;	      /* the same by GSSAPI, in blocks of up to this size: */
	uint32_t block;
	bool protect_server; /* the server's */
	bool agreed;	     /* the server has reported success */
	bool failed; /* the server has reported a failure: deliver its bytes, then end without close_notify */
	bool kept_alive; /* TCP keep-alive has been turned on */
	struct data_settle settle;
	uint64_t started_ms;
	uint64_t moved_ms; /* when the relay last moved a byte, or the transfer was asked for */
	struct relay relay;
	struct data_rate rate;
	char *command; /* of the transfer, for the log and for another attempt (DSWAITTIME) */
};

/* What an operator sees. */
struct data_status {
	const char *command; /* lives until the next transfer */
	enum secure_level level, server_level;
	bool upload;
	uint64_t bytes;
	uint64_t rate;	  /* bytes a second, in the last seconds */
	uint64_t idle_ms; /* since a byte moved */
	uint64_t transfer_ms;
};

/* worker, facts, control and owner outlive it. */
void data_conn_init(struct data_conn *data, struct worker *worker, const struct facts *facts,
		    const struct data_control *control, const struct data_owner *owner);

/* Start the clock of datatimeout: for both legs, or for a port that the client was told. */
static inline int data_conn_time(struct data_conn *data)
{
	return loop_timer(&data->legs.worker->loop, &data->timer,
			  (uint64_t)data->legs.facts->rule->ftp->datatimeout_s * 1000);
}

/*
 * Open a port for one leg. Returns 0 and the endpoint to tell the peer, or a
 * negative errno; -EINPROGRESS: owner->listening() follows.
 */
static inline int data_conn_listen(struct data_conn *data, enum ftp_side side,
				   struct ip_endpoint *ret_endpoint)
{
	if (side == FTP_SIDE_CLIENT)
		(void)data_conn_time(data); /* if it fails, the port stays until the session ends */
	return data_legs_listen(&data->legs, side, ret_endpoint);
}

/* Was the client told a port that it has not dialled, while no transfer is under way? */
static inline bool data_conn_is_told(const struct data_conn *data)
{
	return data->state == DATA_IDLE && data->legs.client.state == LEG_LISTENING;
}

/* Dial the server before the transfer, unless its leg is up; owner->dialled() follows, perhaps at once. */
static inline void data_conn_dial(struct data_conn *data)
{
	data_dial_early(&data->dial);
	data_dial_check(&data->dial);
}

/* Set the target of a leg. */
static inline void data_conn_target(struct data_conn *data, enum ftp_side side,
				    const struct ip_endpoint *target)
{
	data_legs_target(&data->legs, side, target);
	if (data->legs.client.state > LEG_LISTENING) /* it is there, or its PORT was accepted */
		data_conn_dial(data);
}

/* The monitor's answer to a request of this data connection, which may take *fd over. */
static inline void data_conn_granted(struct data_conn *data, const struct msg *msg, int *fd)
{
	/* an upload may wait for the client before its transfer begins */
	if (msg->type == MSG_PLAN_GIVE)
		data_legs_make_way(&data->legs, msg, !data_conn_is_told(data) || data->handshake.wanted);
	else
		data_legs_granted(&data->legs, msg, fd);
}

/* An upload waits for the client's data connection and its handshake: act is FTP_DO_DATA_SECURE. */
void data_conn_secure(struct data_conn *data, const struct ftp_act *act);

/* The server was sent a transfer command: act is FTP_DO_DATA_START. */
void data_conn_start(struct data_conn *data, const struct ftp_act *act);

/* Start the same transfer again. Returns its command, or NULL if there was no memory to keep it. */
const char *data_conn_restart(struct data_conn *data);

/* The server has agreed (FTP_DO_DATA_GO), and owner->done() follows; or it has refused. */
void data_conn_go(struct data_conn *data);
void data_conn_refused(struct data_conn *data);

/* Forget everything, and close what is open: with a reset if `reset` is set or a transfer is under way. */
void data_conn_close(struct data_conn *data, bool reset);

/* The server refused an upload for which the client has got a 150 (FTP_DO_DATA_DISMISS). */
static inline void data_conn_dismiss(struct data_conn *data)
{
	(void)stream_finish(&data->legs.client.stream);
	linger_take(&data->legs.worker->lingering, &data->legs.client.stream);
	data_conn_close(data, false);
}

static inline bool data_conn_is_relaying(const struct data_conn *data)
{
	return data->state >= DATA_RELAYING;
}

/* Has an upload ended in order, and does its end wait until the client's last words have been read? */
static inline bool data_conn_asks_client(const struct data_conn *data)
{
	return data_conn_is_relaying(data) && data->upload && data->relay.may_end != NULL &&
	       data->relay.refused > 0;
}

/* After ABOR the transfer may be incomplete (FTP_DO_DATA_DOUBT). */
static inline void data_conn_doubt(struct data_conn *data)
{
	data->relay.doubt = true;
}

/* The server has refused ABOR (FTP_DO_DATA_TRUST). The file may have ended meanwhile (MODE B and C). */
static inline void data_conn_trust(struct data_conn *data)
{
	data->relay.doubt = false;
	if (data_conn_is_relaying(data))
		loop_again(&data->legs.worker->loop, &data->relay.from->watch);
}

/* A download that waits for the server's word gets it: go on. */
static inline void data_conn_heard(struct data_conn *data)
{
	if (data->relay.awaits_word)
		loop_again(&data->legs.worker->loop, &data->relay.from->watch);
}

/* The server says that all is well (FTP_DO_DATA_AGREED). */
static inline void data_conn_agree(struct data_conn *data)
{
	data->agreed = true;
	data_conn_heard(data);
	data->relay.awaits_word = false;
}

/* The server says that the transfer failed (FTP_DO_DATA_FAILED). False: no more of its bytes will come. */
static inline bool data_conn_fail(struct data_conn *data)
{
	data_conn_heard(data);
	/* the server's bytes may be here although the legs are not up yet */
	data->failed = data->relay.doubt = data->state >= DATA_CONNECTING && !data->upload;
	return data->failed;
}

/* What protects the client's data. Under PROT P that depends on the cipher, once the handshake is done. */
static inline enum secure_level data_conn_level(const struct data_conn *data)
{
	if (data->gssapi != FTP_PROT_CLEAR)
		return data->gssapi == FTP_PROT_SAFE ? SECURE_SAFE : SECURE_PRIVATE;
	if (!data->protect)
		return SECURE_CLEAR;
	return stream_tls_level(&data->legs.client.stream) == SECURE_SAFE ? SECURE_SAFE : SECURE_PRIVATE;
}

/* The same of the server's. */
static inline enum secure_level data_conn_server_level(const struct data_conn *data)
{
	if (!data->protect_server)
		return SECURE_CLEAR;
	return data_server_tls_level(&data->legs) == SECURE_SAFE ? SECURE_SAFE : SECURE_PRIVATE;
}

/* Is an upload under way whose blocks have a place in the sequence of the client's messages? */
static inline bool data_conn_is_protected_upload(const struct data_conn *data)
{
	return data->state != DATA_IDLE && data->upload && data->gssapi != FTP_PROT_CLEAR;
}

/* False: no transfer is under way. */
static inline bool data_conn_status(const struct data_conn *data, struct data_status *ret_status)
{
	uint64_t now_ms = data->legs.worker->loop.now_ms;

	if (data->state == DATA_IDLE)
		return false;
	*ret_status = (struct data_status){
		.command = data->command != NULL ? data->command : "?",
		.level = data_conn_level(data),
		.server_level = data_conn_server_level(data),
		.upload = data->upload,
		.bytes = data->relay.bytes,
		.rate = data_rate_now(&data->rate, data->relay.bytes, now_ms, now_ms - data->moved_ms),
		.idle_ms = now_ms - data->moved_ms,
		.transfer_ms = now_ms - data->started_ms,
	};
	return true;
}

#endif
