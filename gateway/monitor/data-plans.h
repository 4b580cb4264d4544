/*
 * Data connections that clients are to open to shared ports. A plan waits at one port
 * for its client's address, and no two plans of one address wait at the same port, so
 * address and port name the session. When no port is free for an address, its plans
 * wait in a queue of their own, which delays no other address.
 *
 * A client that dials after its plan has ended must not get into another session. So
 * the port stays closed to other plans of its address for a moment.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_DATA_PLANS_H
#define ATTLSD_GATEWAY_MONITOR_DATA_PLANS_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/monitor/plan-store.h"

/* How long a plan waits for a port. */
#define PLAN_WAIT_MS 5000
/* After this time at a port, a plan without a transfer makes way for others of its address. */
#define PLAN_GIVE_MS 10000

void data_plans_init(struct data_plans *plans, struct loop *loop, const struct shared_ports *ports,
		     const struct plan_calls *calls);
void data_plans_done(struct data_plans *plans);

/* Plan a connection; it replaces the session's last plan. told() follows, perhaps at once. Returns 0 or
 * -ENOMEM. */
int data_plans_ask(struct data_plans *plans, const struct plan_ask *ask);

/* The session has no such plan any more, or does not make way with it. Unknown ones are fine. */
void data_plans_end(struct data_plans *plans, uint64_t session, uint32_t serial);
void data_plans_keep(struct data_plans *plans, uint64_t session, uint32_t serial);

/* The owner has ended, and its sessions with it. */
void data_plans_forget(struct data_plans *plans, const void *owner);

/* The session is over. */
void data_plans_end_all(struct data_plans *plans, uint64_t session);

enum plan_match { PLAN_NOBODY = 0, PLAN_LATE, PLAN_FOUND };

/* A connection from `peer` to this address and port. PLAN_FOUND: the plan is over, and *ret is what it was.
 */
enum plan_match data_plans_arrive(struct data_plans *plans, const struct shared_port *port,
				  const struct ip_addr *peer, const struct ip_addr *host,
				  struct plan_ask *ret);

/* Does a plan wait at this port? */
bool data_plans_wait_at(const struct data_plans *plans, const struct shared_port *port);

/* The port is about to close: forget what waits there. */
void data_plans_close_port(struct data_plans *plans, const struct shared_port *port);

#endif
