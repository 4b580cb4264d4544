/*
 * The two legs of a data connection: each is listened for or dialled, by the
 * worker itself or with a socket of the monitor's, and announced to the kernel.
 */
#ifndef ATTLSD_GATEWAY_WORKER_DATA_LEG_H
#define ATTLSD_GATEWAY_WORKER_DATA_LEG_H

#include <stdbool.h>
#include <stdint.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/base/loop.h"
#include "gateway/base/msg.h"
#include "gateway/net/stream.h"
#include "gateway/worker/context.h"
#include "gateway/worker/facts.h"

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

/* The session's control connections, which a data connection belongs to. */
struct data_control {
	const struct stream *client;
	const struct stream *server;
};

struct data_legs {
	struct worker *worker;
	const struct facts *facts;
	struct data_control control;
	struct data_leg client;
	struct data_leg server;
	uint32_t serial; /* of the plan: an answer to an earlier one comes too late */
	bool announced;	 /* the kernel knows of the client's data connection */
	uint8_t tries;	 /* ports that may still be tried for a listener of the monitor's */

	/* A leg has opened or failed. */
	void (*on_change)(struct data_legs *legs);
	/* The port asked for is open (endpoint: what to tell the peer), or none could be had (NULL). */
	void (*on_listening)(struct data_legs *legs, enum ftp_side side, const struct ip_endpoint *endpoint);
};

/*
 * Open a port for one leg. Returns 0 and the endpoint to tell the peer, or a
 * negative errno; -EINPROGRESS: on_listening() follows.
 */
int data_legs_listen(struct data_legs *legs, enum ftp_side side, struct ip_endpoint *ret_endpoint);

/* Note where a leg is to be dialled. */
void data_legs_target(struct data_legs *legs, enum ftp_side side, const struct ip_endpoint *target);

/* The monitor's answer to what was asked for this data connection. *fd becomes the legs', or stays. */
void data_legs_granted(struct data_legs *legs, const struct msg *msg, int *fd);

/* Start to connect a leg that has a target. Failure leaves LEG_NONE, as a refused connection does later. */
void data_legs_dial(struct data_legs *legs, enum ftp_side side);

/* The same for the client's leg, once the kernel knows of it where it has to. */
void data_legs_dial_client(struct data_legs *legs);

/* Has a leg that is being dialled got through? Then it is LEG_OPEN; or it failed, and is LEG_NONE. */
void data_legs_check(struct data_legs *legs, struct data_leg *leg);

/* Open, and neither ended nor reset by its peer. */
bool data_leg_is_alive(struct data_leg *leg);

/* Close what a leg has open; its target stays known. */
void data_legs_close(struct data_legs *legs, struct data_leg *leg, bool reset);

/* The plan is over: answers to it come too late, and the kernel need not know of it any more. */
void data_legs_withdraw(struct data_legs *legs);

#endif
