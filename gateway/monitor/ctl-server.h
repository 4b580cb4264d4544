/*
 * The monitor's end of control_socket: who asks is answered, what he orders is
 * carried out and logged. What needs to know a session is the worker's to tell,
 * which gets the connection handed over for that (session-list.h).
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

struct ctl_peer;

/* What the monitor does for an operator. */
struct ctl_calls {
	void (*describe)(void *owner, struct answer_gateway *gateway);
	/* NULL: it has begun, and ctl_server_promote() or ctl_server_abandon() ends it; else why it has not
	 */
	const char *(*reload)(void *owner);
	/* NULL: it has begun; else why it has not */
	const char *(*drain)(void *owner);
};

struct ctl_server {
	struct loop *loop;
	struct children *children;
	const struct admission *admission;
	const struct ctl_calls *calls;
	void *owner;
	struct ctl_socket sock;
	struct ctl_socket coming; /* of a reload, until it is in force */
	bool stays;		  /* that has the same path */
	struct watch listener;
	struct timer pause;					     /* out of descriptors */
	char failure[sizeof(((struct answer_gateway *)0)->failure)]; /* of the last reload */
	uint64_t failed_ms;
	struct ctl_peer *peers;
	size_t npeers;
};

void ctl_server_init(struct ctl_server *server, struct loop *loop, struct children *children,
		     const struct admission *admission, const struct ctl_calls *calls, void *owner);

/* What describe() is to say of this process and of the file that it was given; the rest stays. */
void ctl_server_facts(struct answer_gateway *gateway, const char *policy_path);

/* Make the socket of a policy that is about to come. Fails as ctl_socket_open(). */
int ctl_server_prepare(struct ctl_server *server, const struct policy_daemon *daemon,
		       const struct diags *source);

/* That policy is in force. */
void ctl_server_promote(struct ctl_server *server);

/* It will not be, for this reason. */
void ctl_server_abandon(struct ctl_server *server, const char *reason);

void ctl_server_done(struct ctl_server *server);

#endif
