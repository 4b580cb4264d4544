/*
 * The monitor's end of control_socket: who asks is answered, what he orders is
 * carried out and logged. What needs to know a session is the worker's to tell,
 * which gets the connection handed over for that (census.h).
 */
#ifndef ATTLSD_GATEWAY_MONITOR_CTL_SERVER_H
#define ATTLSD_GATEWAY_MONITOR_CTL_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/base/loop.h"
#include "gateway/monitor/admission.h"
#include "gateway/monitor/children.h"
#include "gateway/monitor/ctl-socket.h"

struct operator_peer;

/* What the monitor does for an operator. */
struct operator_calls {
	void (*describe)(void *owner, struct answer_gateway *gateway);
	/* NULL: it has begun, and operator_promote() or operator_abandon() ends it; else why it has not */
	const char *(*reload)(void *owner);
	/* NULL: it has begun; else why it has not */
	const char *(*drain)(void *owner);
};

struct operators {
	struct loop *loop;
	struct children *children;
	const struct admission *admission;
	const struct operator_calls *calls;
	void *owner;
	struct operator_socket sock;
	struct operator_socket coming; /* of a reload, until it is in force */
	bool stays;		       /* that has the same path */
	struct watch listener;
	struct timer pause;					     /* out of descriptors */
	char failure[sizeof(((struct answer_gateway *)0)->failure)]; /* of the last reload */
	uint64_t failed_ms;
	struct operator_peer *peers;
	size_t npeers;
};

void operator_init(struct operators *operators, struct loop *loop, struct children *children,
		   const struct admission *admission, const struct operator_calls *calls, void *owner);

/* What describe() is to say of this process and of the file that it was given; the rest stays. */
void operator_facts(struct answer_gateway *gateway, const char *policy_path);

/* Make the socket of a policy that is about to come. Fails as operator_socket_open(). */
int operator_prepare(struct operators *operators, const struct policy_daemon *daemon,
		     const struct diags *source);

/* That policy is in force. */
void operator_promote(struct operators *operators);

/* It will not be, for this reason. */
void operator_abandon(struct operators *operators, const char *reason);

void operator_done(struct operators *operators);

#endif
