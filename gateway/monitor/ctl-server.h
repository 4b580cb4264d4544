/*
 * The monitor's end of control_socket: it answers questions, and carries out and
 * logs orders. Only workers know their sessions, and what they remember of
 * servers, so for a list of these it passes the connection on to each worker
 * (worker/dump.h).
 */
#ifndef ATTLSD_GATEWAY_MONITOR_CTL_SERVER_H
#define ATTLSD_GATEWAY_MONITOR_CTL_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/base/loop.h"
#include "gateway/base/msg.h"
#include "gateway/monitor/admission.h"
#include "gateway/monitor/backends.h"
#include "gateway/monitor/children.h"
#include "gateway/monitor/client-table.h"
#include "gateway/monitor/ctl-socket.h"
#include "gateway/monitor/older.h"
#include "gateway/monitor/ctl-trace.h"

struct ctl_peer;

/* What the monitor does for an operator. */
struct ctl_calls {
	void (*describe)(void *owner, struct answer_gateway *gateway);
	/*
	 * NULL: begun; ctl_server_promote() or ctl_server_abandon() ends it. Otherwise the
	 * reason why not.
	 */
	const char *(*reload)(void *owner, enum ctl_proto_what how);
	/* All other orders. Returns whether it is done; the text says what now happens, or why it is not. */
	bool (*order)(void *owner, const struct ask *ask, char ret_text[static ANSWER_TEXT_MAX]);
	/* Somebody is about to see the counters, which must not go back afterwards. */
	void (*counted)(void *owner);
};

struct ctl_server {
	const char *own; /* the file of this node; NULL: there is none */
	struct loop *loop;
	struct children *children;
	const struct admission *admission;
	const struct client_table *clients;
	struct backends *backends;
	const struct ctl_calls *calls;
	void *owner;
	const struct older_set *older;
	const struct activated *activated;
	struct ctl_socket sock;
	struct ctl_socket coming; /* of a reload, until it is in force */
	bool stays;		  /* the coming policy has the same path */
	bool shares;		  /* and lets this group ask */
	unsigned gid;
	struct watch listener;
	struct timer pause;					     /* out of descriptors */
	bool yielded;						     /* another attlsd accepts */
	char failure[sizeof(((struct answer_gateway *)0)->failure)]; /* of the last reload */
	uint64_t failed_ms;
	struct ctl_traces traces;
	struct ctl_peer *peers;
	size_t npeers[ASKERS];
	uint64_t refused_ms; /* when an order was last logged as refused */
	struct ucred http; /* the HTTP process: the monitor makes both ends of the sockets for its answers */
};

void ctl_server_init(struct ctl_server *server, struct loop *loop, struct children *children,
		     const struct admission *admission, const struct client_table *clients,
		     const struct ctl_calls *calls, void *owner);

/*
 * Make the socket of the coming policy; members of the group gid may ask (NULL: nobody). Fails as
 * ctl_socket_open() does.
 */
int ctl_server_prepare(struct ctl_server *server, const struct policy_daemon *daemon, const unsigned *gid,
		       const struct diags *source);

/* Leave the socket to another attlsd, or take it back; ctl_server_leave(): for good. */
void ctl_server_yield(struct ctl_server *server, bool yield);
void ctl_server_leave(struct ctl_server *server);

/* An upgrade has ended: answer those that wait for it. */
void ctl_server_upgraded(struct ctl_server *server, bool done, const char *text);

/* The coming policy is in force. */
void ctl_server_promote(struct ctl_server *server);

/* The coming policy does not come into force, for this reason. */
void ctl_server_abandon(struct ctl_server *server, const char *reason);

/*
 * Answer a question through this socket, which is closed afterwards: one of the HTTP process, from
 * whose socket nothing is read (shut it down for that, http-child.c), or one that the attlsd that has
 * replaced this one has passed on.
 */
void ctl_server_answer(struct ctl_server *server, int *fd, enum msg_asker who, bool passed,
		       const struct ask *ask);

void ctl_server_done(struct ctl_server *server);

#endif
