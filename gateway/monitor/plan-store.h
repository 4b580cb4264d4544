/*
 * The plans for shared ports, and who holds which port. A hold is the place of one
 * address at one port: a plan's, or kept for a moment after a plan that nobody has
 * dialled. Of data-plans.c only, which decides.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_PLAN_STORE_H
#define ATTLSD_GATEWAY_MONITOR_PLAN_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "gateway/base/loop.h"
#include "gateway/monitor/shared-ports.h"
#include "policy/policy.h"

/* How long its port is kept from others, after a plan that nobody has dialled. */
#define PLAN_LATE_MS 2000

struct data_plan;
struct plan_hold;
struct plan_source;

/* Whose plan it is, and whom it waits for. */
struct plan_ask {
	uint64_t session;
	uint32_t serial; /* the session's number for it */
	void *owner;	 /* the worker; or a replaced attlsd that has the session, */
	bool elsewhere;	 /* then */
	struct ip_addr client;
	struct ip_addr host;	 /* of this host's addresses, the one that it dials */
	struct port_range range; /* of ports, one of which it gets */
	/* Load balancers whose addresses any data connection may have; NULL: none. They outlive the plan. */
	const struct policy_listener *through;
	uint64_t limit_ms; /* no session waits longer for a client */
};

struct plan_calls {
	/* It may tell its client this port; NULL: none was free in time. */
	void (*told)(void *context, const struct plan_ask *ask, const struct ip_endpoint *port);
	/* Others wait: data_plans_end() or data_plans_keep() has to follow. */
	void (*give)(void *context, const struct plan_ask *ask);
	/* Call data_plans_arrive() for what has come to this port already. */
	void (*look)(void *context, struct shared_port *port);
	void *context;
};

struct data_plans {
	struct loop *loop;
	const struct shared_ports *ports;
	struct plan_calls calls;
	struct data_plan *plans;     /* by session */
	struct plan_hold *holds;     /* by address and port */
	struct plan_source *sources; /* by address */
};

struct data_plan {
	struct plan_ask ask;
	struct plan_source *source;
	struct plan_hold *hold; /* NULL: it waits for a port */
	uint64_t since_ms;	/* when it was asked for, or told */
	uint64_t asked_ms;	/* when it was to make way; 0: not yet */
	bool keeps;
	struct data_plan *next, *prev; /* of its source: those that wait, or those at ports */
	UT_hash_handle hh;
};

struct hold_key {
	struct ip_addr source;
	uint64_t port; /* its id */
};

struct plan_hold {
	struct hold_key key;
	const struct shared_port *port;
	struct plan_source *source;
	struct data_plan *plan;	       /* NULL: kept until `until_ms` */
	uint64_t session, until_ms;    /* its own session may have it at once */
	struct plan_hold *next, *prev; /* of its source, without plans, the oldest first */
	UT_hash_handle hh;
};

/* The plans of one client address; IP_NONE stands for all that load balancers may dial. */
struct plan_source {
	struct ip_addr addr;
	struct data_plans *plans;
	struct data_plan *waiting, *told; /* the oldest first */
	struct plan_hold *kept;
	struct timer timer;
	UT_hash_handle hh;
};

/* Whom plans count as whose data connections may come from load balancers. */
extern const struct ip_addr plan_balanced;

/* NULL: there is none. */
struct data_plan *plan_find(const struct data_plans *plans, uint64_t session);
struct plan_source *plan_find_source(const struct data_plans *plans, const struct ip_addr *addr);
struct plan_hold *plan_find_hold(const struct data_plans *plans, const struct ip_addr *source,
				 const struct shared_port *port);

/* Add a plan that waits. Returns NULL without memory. */
struct data_plan *plan_add(struct data_plans *plans, const struct plan_ask *ask, timer_fn *on_timer);

/* Let a plan wait at this port, which may be kept, but has no plan of the address. Returns 0 or -ENOMEM. */
int plan_take_port(struct data_plan *plan, const struct shared_port *port);

/* Forget a plan; its hold stays. */
void plan_free(struct data_plan *plan);
void plan_free_hold(struct plan_hold *hold);
void plan_free_source_if_unused(struct plan_source *source);

/* Forget a plan. If it was at a port, which nobody has dialled, the port is kept for a moment. */
void plan_retire(struct data_plan *plan);

#endif
