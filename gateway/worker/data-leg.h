/*
 * The two legs of a data connection. The worker listens for or dials each, by itself
 * or with a socket from the monitor, and has the client's leg announced to the
 * kernel.
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
#include "gateway/worker/told.h"

/* The state of a leg. */
enum data_leg_state {
	LEG_NONE = 0,
	LEG_LISTENING, /* a port is open for the peer: `listener`, or a shared one */
	LEG_TARGET,    /* the peer's endpoint is known, not dialled yet */
	LEG_ASKED,     /* a request to the monitor is under way: for a socket or an announcement */
	LEG_DIALLING,
	LEG_OPEN,
	LEG_TLS, /* the handshake is under way */
	LEG_READY,
};

struct data_leg {
	enum data_leg_state state;
	struct watch listener;
	struct stream stream;
	struct ip_endpoint target;
	struct ip_endpoint peer; /* that has dialled our port; port 0: we dial, see `target` */
};

/* The control connections of the session. */
struct data_control {
	struct stream *client;
	struct stream *server;
	const struct inbuf *replies; /* of the server, that the session has not looked at yet */
};

struct data_legs {
	struct worker *worker;
	const struct facts *facts;
	struct data_control control;
	struct data_leg client;
	struct data_leg server;
	struct told told; /* where the client is to dial */
	uint32_t serial;  /* of the plan; answers to earlier plans are ignored */
	bool announced;	  /* the client's data connection is announced to the kernel */
	bool shared;	  /* the monitor has a plan for it, at a shared port or waiting for one, */
	uint32_t planned; /* with this serial */
	bool ticket_due;  /* the client has used a session ticket, and needs another one */
	uint8_t tries;	  /* how many ports may still be tried for a listener from the monitor */

	/* A leg has opened or failed. */
	void (*on_change)(struct data_legs *legs);
	/* The port is open (endpoint: the address for the peer), or none is available (NULL). */
	void (*on_listening)(struct data_legs *legs, enum ftp_side side, const struct ip_endpoint *endpoint);
};

/*
 * Open a port for one leg. Returns 0 and the endpoint to tell the peer, or a
 * negative errno; -EINPROGRESS: on_listening() follows.
 */
int data_legs_listen(struct data_legs *legs, enum ftp_side side, struct ip_endpoint *ret_endpoint);

/* Set the target of a leg. */
void data_legs_target(struct data_legs *legs, enum ftp_side side, const struct ip_endpoint *target);

/* Start to connect a leg that has a target. Failure leaves LEG_NONE, as a refused connection does later. */
void data_legs_dial(struct data_legs *legs, enum ftp_side side);

/* The same for the client's leg, after announcing it to the kernel if policy wants that. */
void data_legs_dial_client(struct data_legs *legs);

/*
 * See whether the connection attempt of a leg has ended: the leg is then LEG_OPEN,
 * or LEG_NONE if it failed.
 */
void data_legs_check(struct data_legs *legs, struct data_leg *leg);

/* Is the leg open, and neither ended nor reset by its peer? */
bool data_leg_is_alive(struct data_leg *leg);

/* Turn on keep-alive for a longer transfer. The kernel counts earlier idle time, too. */
void data_legs_keep_alive(struct data_legs *legs);

/* Close the sockets of a leg; its target stays. */
void data_legs_close(struct data_legs *legs, struct data_leg *leg, bool reset);

/* Close the port that the client was told, if it has not dialled it; its transfer gets 425. */
void data_legs_give_port(struct data_legs *legs, const char *reason);

/*
 * Parts of these, for data-grant.c: a leg has a listening socket (returns as
 * data_legs_listen()), or one that is connecting; its peer has dialled; ask for a listener
 * with another host's address; the address of a leg's port, as its peer must dial it; tell
 * the monitor of the plan for a shared port.
 */
void data_leg_dialled(struct data_legs *legs, enum ftp_side side, const struct ip_endpoint *peer, int *fd);
void data_legs_say(struct data_legs *legs, enum msg_type type);
int data_leg_listens(struct data_legs *legs, enum ftp_side side, int *fd, struct ip_endpoint *ret_endpoint);
void data_leg_connects(struct data_legs *legs, struct data_leg *leg, int *fd);
void data_leg_ask_listener(struct data_legs *legs, enum ftp_side side);
int data_leg_to_tell(struct data_legs *legs, enum ftp_side side, struct ip_endpoint *ret);

/* A connection that does not belong to the leg: log it and reset it. reason: NULL if another host has
 * dialled. */
void data_leg_refuse(struct data_legs *legs, enum ftp_side side, const struct ip_endpoint *peer,
		     const char *reason, int *fd);

/* The plan is over: ignore answers to it, and withdraw its announcement. */
void data_legs_withdraw(struct data_legs *legs);

#endif
