/*
 * The data side of a session: two legs, each dialled or listened for, then a
 * relay between them. Embedded in the session; knows nothing of FTP's words.
 */
#ifndef ATTLSD_GATEWAY_WORKER_DATA_H
#define ATTLSD_GATEWAY_WORKER_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/net/relay.h"
#include "gateway/net/stream.h"

struct msg;
struct session;

/* How far one leg has come. */
enum data_leg_state {
	LEG_NONE = 0,
	LEG_LISTENING, /* a port is open for the peer */
	LEG_TARGET,    /* the peer's endpoint is known, not dialled yet */
	LEG_ASKED,     /* the monitor has been asked, for a socket or to announce the connection */
	LEG_DIALLING,
	LEG_OPEN,
	LEG_TLS, /* client leg: the handshake is under way */
	LEG_READY,
};

struct data_leg {
	enum data_leg_state state;
	struct watch listener;
	struct stream stream;
	struct ip_endpoint target;
};

struct data {
	struct session *session;
	struct data_leg client;
	struct data_leg server;
	uint32_t serial;    /* of the plan: an answer to an earlier one comes too late */
	bool announced;	    /* the kernel knows of the client's data connection */
	uint8_t tries;	    /* ports that may still be tried for a listener of the monitor's */
	struct timer timer; /* connecting, standing still, settling */
	struct timer tick;  /* of a relay that coalesces */
	bool started;	    /* a transfer was asked of the server */
	bool going;	    /* and it has begun */
	bool relaying;
	bool kept_alive; /* TCP keep-alive has been turned on */
	bool upload;
	bool protect;
	uint32_t settle_ms;   /* 0: not settling */
	uint64_t progress;    /* bytes moved, or still to be acknowledged, at the last look */
	uint64_t progress_ms; /* and when that last changed, while settling */
	uint64_t started_ms;
	uint64_t moved_ms; /* when the relay last moved a byte, or the transfer was asked for */
	struct relay relay;
	char *command; /* of the transfer: for the log, and to ask again (DSWAITTIME) */
};

void data_init(struct data *data, struct session *session);

/*
 * Open a port for one leg. Returns 0 and the endpoint to tell the peer, or a
 * negative errno; -EINPROGRESS: session_listening() will tell.
 */
int data_listen(struct data *data, enum ftp_side side, struct ip_endpoint *ret_endpoint);

/* The monitor's answer to what was asked for this data connection. *fd becomes the data's, or stays. */
void data_granted(struct data *data, const struct msg *msg, int *fd);

/* Note where a leg is to be dialled. */
void data_target(struct data *data, enum ftp_side side, const struct ip_endpoint *target);

/* FTP_DO_DATA_START, _GO, _REFUSED of ftp-alg/out.h. The end is told with session_data_done(). */
void data_start(struct data *data, const struct ftp_act *act);
void data_go(struct data *data);
void data_refused(struct data *data);

/* Something has happened to one of the legs: go on. */
void data_step(struct data *data);

/* Forget everything; what is open is closed, with a reset if asked for. */
void data_close(struct data *data, bool reset);

#endif
