/*
 * The passive ports that clients share (passivedatashare: source). The monitor keeps
 * them open for good, and accepts; who waits for a connection, data-plans.h knows. It
 * reads no byte of them.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_SHARED_PORTS_H
#define ATTLSD_GATEWAY_MONITOR_SHARED_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/loop.h"
#include "policy/policy.h"

struct shared_ports;

struct shared_port {
	struct watch watch;
	struct ip_endpoint endpoint; /* as the policy has it: the address may be any */
	uint64_t id;		     /* no other port gets it, not even later */
	bool wanted;		     /* for shared_ports_close_unwanted() */
	bool inherited;		     /* from an attlsd that may still have sessions */
	struct shared_ports *owner;
	struct shared_port *next, *prev;
};

/* A connection has come; takes *fd over, whose close() resets it. */
typedef void data_connection_fn(struct shared_port *port, int *fd, const struct ip_endpoint *peer);

struct shared_ports {
	struct loop *loop;
	struct shared_port *head;
	uint64_t last;
	bool accepts;
	struct timer pause; /* out of descriptors */
	data_connection_fn *on_connection;
	void (*on_close)(struct shared_port *port); /* it is about to close */
};

/* Sockets of all policies whose sessions live, and of earlier ones: a reload opens before it closes. */
#define SHARED_PORTS_OPEN_MAX (2 * SHARED_SOCKETS_MAX)

void shared_ports_init(struct shared_ports *ports, struct loop *loop, data_connection_fn *on_connection,
		       void (*on_close)(struct shared_port *port));

/*
 * Open those of a policy that are not open yet. Returns 0; or a negative errno after
 * logging the reason, and what was opened is still to be closed.
 */
int shared_ports_open(struct shared_ports *ports, const struct policy *policy);

/* Take over a socket of another attlsd, *fd, which listens on this endpoint. */
int shared_ports_adopt(struct shared_ports *ports, const struct ip_endpoint *endpoint, int *fd);

/* Begin to accept, on ports that are opened later as well; or stop. */
void shared_ports_accept(struct shared_ports *ports, bool on);

/* Accept what is in the queue of a port now, and not later. */
void shared_ports_look(struct shared_port *port);

/* Mark the ports that a policy wants, or none of them; then close those without a mark. */
void shared_ports_unmark(struct shared_ports *ports);
void shared_ports_mark(struct shared_ports *ports, const struct policy *policy);
void shared_ports_close_unwanted(struct shared_ports *ports);

#endif
