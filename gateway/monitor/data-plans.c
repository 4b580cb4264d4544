/*
 * Gives plans their ports, and decides whose a connection is.
 *
 * Sessions behind load balancers that open data connections as well (proxy_data) count
 * as one address, since all their connections may have the same.
 */
#include "gateway/monitor/data-plans.h"

#include <errno.h>
#include <sys/random.h>
#include <utlist.h>

#include "gateway/base/counters.h"
#include "gateway/base/util.h"
#include "gateway/monitor/plan-store.h"

/* A worker answers within this time whether its session makes way. */
#define ANSWER_MS 1000

void data_plans_init(struct data_plans *plans, struct loop *loop, const struct shared_ports *ports,
		     const struct plan_calls *calls)
{
	*plans = (struct data_plans){ .loop = loop, .ports = ports, .calls = *calls };
}

/* May this plan wait at this port, as far as its policy goes? */
static bool is_for(const struct plan_ask *ask, const struct shared_port *port)
{
	const struct ip_endpoint to = { .addr = ask->host, .port = port->endpoint.port };

	return to.port >= ask->range.low && to.port <= ask->range.high &&
	       policy_port_covers(&port->endpoint, &to);
}

enum room { ROOM_NONE = 0, ROOM_OWN, ROOM_FREE };

/*
 * Is there room for the plan at this port? ROOM_OWN: its own session was there last,
 * whose client may still dial.
 */
static enum room room_at(struct data_plans *plans, const struct data_plan *plan,
			 const struct shared_port *port)
{
	struct plan_hold *hold = plan_find_hold(plans, &plan->source->addr, port), *other;
	bool through = plan->ask.through != NULL;

	/* A client behind a load balancer may dial directly as well. */
	other = plan_find_hold(plans, through ? &plan->ask.client : &plan_balanced, port);
	if (other != NULL && other->plan != NULL &&
	    ip_addr_equal(&other->plan->ask.client, &plan->ask.client))
		return ROOM_NONE;
	if (hold == NULL)
		return ROOM_FREE;
	if (hold->plan == NULL && hold->until_ms <= plans->loop->now_ms)
		return ROOM_FREE;
	return hold->plan == NULL && hold->session == plan->ask.session ? ROOM_OWN : ROOM_NONE;
}

/* One of the free ports, by chance; NULL: none. *ret_any: it may have one later. */
static const struct shared_port *choose(struct data_plans *plans, const struct data_plan *plan, bool *ret_any)
{
	const struct shared_port *port, *own = NULL, *free_ports[SHARED_PORTS_MAX];
	unsigned n = 0, random = 0;

	*ret_any = false;
	DL_FOREACH (plans->ports->head, port) {
		enum room room = is_for(&plan->ask, port) ? room_at(plans, plan, port) : ROOM_NONE;

		*ret_any = *ret_any || is_for(&plan->ask, port);
		if (room == ROOM_OWN)
			own = port;
		else if (room == ROOM_FREE && n < NELEM(free_ports))
			free_ports[n++] = port;
	}
	if (n == 0)
		return own;
	/* if there are no random numbers, any will do: others of its address can guess it anyway */
	if (n > 1 && getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		random = 0;
	return free_ports[random % n];
}

/* Returns whether the plan waits no longer. */
static bool place(struct data_plans *plans, struct data_plan *plan)
{
	bool waited = plans->loop->now_ms != plan->since_ms, any;
	const struct shared_port *port = choose(plans, plan, &any);
	struct plan_ask ask = plan->ask;
	struct ip_endpoint at = { .addr = ask.host };

	if (port != NULL && plan_take_port(plan, port) == 0) {
		plan->since_ms = plans->loop->now_ms;
		at.port = port->endpoint.port;
		count(SHARED_PLANS, waited ? COUNT_PLAN_WAITED : COUNT_PLAN_AT_ONCE, 1);
		plans->calls.told(plans->calls.context, &ask, &at);
		return true;
	}
	if (any)
		return false;
	plan_free(plan); /* attlsd ends, and has closed its ports */
	count(SHARED_PLANS, COUNT_PLAN_REFUSED, 1);
	plans->calls.told(plans->calls.context, &ask, NULL);
	return true;
}

static bool is_same_wish(const struct plan_ask *a, const struct plan_ask *b)
{
	return a->range.low == b->range.low && a->range.high == b->range.high &&
	       ip_addr_equal(&a->host, &b->host) &&
	       (a->through == NULL || ip_addr_equal(&a->client, &b->client));
}

/* Place the plans that wait, in order. */
static void serve(struct plan_source *source)
{
	const struct plan_ask *failed = NULL;
	struct data_plan *plan, *next;

	DL_FOREACH_SAFE(source->waiting, plan, next)
	{
		if (failed != NULL && is_same_wish(failed, &plan->ask))
			continue;
		if (!place(source->plans, plan))
			failed = &plan->ask;
	}
}

/* Has its worker not answered whether it makes way? */
static bool is_silent(const struct data_plan *plan, uint64_t now_ms)
{
	return plan->asked_ms != 0 && now_ms - plan->asked_ms >= ANSWER_MS;
}

/* Ask the oldest plans to make way, for as many as wait. */
static void make_room(struct plan_source *source)
{
	uint64_t now_ms = source->plans->loop->now_ms;
	struct data_plan *plan, *next;
	size_t wanted;

	DL_COUNT(source->waiting, plan, wanted);
	DL_FOREACH_SAFE(source->told, plan, next)
	{
		if (wanted == 0 || now_ms - plan->since_ms < PLAN_GIVE_MS)
			return;
		if (!is_for(&source->waiting->ask, plan->hold->port))
			continue;
		if (now_ms - plan->since_ms > plan->ask.limit_ms) { /* no honest worker has it that long */
			plan_retire(plan);
			continue;
		}
		if (plan->keeps || is_silent(plan, now_ms))
			continue;
		wanted--;
		if (plan->asked_ms != 0)
			continue;
		plan->asked_ms = now_ms;
		source->plans->calls.give(source->plans->calls.context, &plan->ask);
	}
}

static void give_up(struct plan_source *source)
{
	struct data_plans *plans = source->plans;
	struct data_plan *plan, *next;

	DL_FOREACH_SAFE(source->waiting, plan, next)
	{
		struct plan_ask ask = plan->ask;

		if (plans->loop->now_ms - plan->since_ms < PLAN_WAIT_MS)
			return;
		plan_free(plan);
		count(SHARED_PLANS, COUNT_PLAN_REFUSED, 1);
		plans->calls.told(plans->calls.context, &ask, NULL);
	}
}

static void sooner(uint64_t *at_ms, uint64_t other_ms)
{
	if (other_ms < *at_ms)
		*at_ms = other_ms;
}

/* When may one of the plans at ports make way? */
static uint64_t give_at_ms(const struct plan_source *source)
{
	uint64_t now_ms = source->plans->loop->now_ms, at_ms = UINT64_MAX;
	const struct data_plan *plan;

	DL_FOREACH (source->told, plan) {
		if (plan->keeps || is_silent(plan, now_ms) ||
		    !is_for(&source->waiting->ask, plan->hold->port))
			continue;
		if (plan->asked_ms != 0) {
			sooner(&at_ms, plan->asked_ms + ANSWER_MS);
		} else if (plan->since_ms + PLAN_GIVE_MS > now_ms) {
			sooner(&at_ms, plan->since_ms + PLAN_GIVE_MS);
			break; /* the others are younger */
		}
	}
	return at_ms;
}

/* The time of what happens next without an event. */
static void set_timer(struct plan_source *source)
{
	struct loop *loop = source->plans->loop;
	uint64_t at_ms = source->kept != NULL ? source->kept->until_ms : UINT64_MAX;

	if (source->waiting != NULL) {
		sooner(&at_ms, source->waiting->since_ms + PLAN_WAIT_MS);
		sooner(&at_ms, give_at_ms(source));
	}
	if (at_ms == UINT64_MAX)
		loop_timer_stop(loop, &source->timer);
	else /* if it fails, the next event of this source does the same */
		(void)loop_timer(loop, &source->timer, at_ms > loop->now_ms ? at_ms - loop->now_ms : 1);
}

/* Something has changed for a source: the only place where its plans get ahead. */
static void look_at(struct plan_source *source)
{
	while (source->kept != NULL && source->kept->until_ms <= source->plans->loop->now_ms)
		plan_free_hold(source->kept);
	serve(source);
	make_room(source);
	set_timer(source);
	plan_free_source_if_unused(source);
}

/* The same for plans of the other kind that may have waited for the same client. */
static void look_at_other(struct data_plans *plans, const struct plan_ask *ask)
{
	struct plan_source *other =
	    plan_find_source(plans, ask->through != NULL ? &ask->client : &plan_balanced);

	if (other != NULL && other->waiting != NULL)
		look_at(other);
}

static void on_timer(struct timer *timer)
{
	struct plan_source *source = CONTAINER_OF(timer, struct plan_source, timer);

	give_up(source);
	look_at(source);
}

int data_plans_ask(struct data_plans *plans, const struct plan_ask *ask)
{
	struct data_plan *plan;

	data_plans_end_all(plans, ask->session);
	plan = plan_add(plans, ask, on_timer);
	if (plan == NULL)
		return -ENOMEM;
	look_at(plan->source);
	return 0;
}

void data_plans_end(struct data_plans *plans, uint64_t session, uint32_t serial)
{
	struct data_plan *plan = plan_find(plans, session);
	struct plan_source *source;
	struct plan_ask ask;

	if (plan == NULL || plan->ask.serial != serial)
		return;
	if (plan->hold != NULL) /* its client's connection may be there */
		plans->calls.look(plans->calls.context, (struct shared_port *)(uintptr_t)plan->hold->port);
	plan = plan_find(plans, session);
	if (plan == NULL)
		return;
	ask = plan->ask;
	source = plan->source;
	plan_retire(plan);
	look_at(source);
	look_at_other(plans, &ask);
}

void data_plans_end_all(struct data_plans *plans, uint64_t session)
{
	const struct data_plan *plan = plan_find(plans, session);

	if (plan != NULL)
		data_plans_end(plans, session, plan->ask.serial);
}

static struct data_plan *find_of(const struct data_plans *plans, const void *owner)
{
	struct data_plan *plan, *next;

	HASH_ITER (hh, plans->plans, plan, next)
		if (plan->ask.owner == owner)
			return plan;
	return NULL;
}

void data_plans_forget(struct data_plans *plans, const void *owner)
{
	const struct data_plan *plan;

	while ((plan = find_of(plans, owner)) != NULL)
		data_plans_end(plans, plan->ask.session, plan->ask.serial);
}

void data_plans_keep(struct data_plans *plans, uint64_t session, uint32_t serial)
{
	struct data_plan *plan = plan_find(plans, session);

	if (plan == NULL || plan->ask.serial != serial || plan->asked_ms == 0)
		return;
	plan->keeps = true;
	look_at(plan->source);
}

/* The hold that a connection from `peer` hits. NULL: none. */
static struct plan_hold *hit(const struct data_plans *plans, const struct shared_port *port,
			     const struct ip_addr *peer)
{
	struct plan_hold *hold = plan_find_hold(plans, peer, port), *any;

	if (hold != NULL && hold->plan != NULL)
		return hold;
	any = plan_find_hold(plans, &plan_balanced, port);
	if (any != NULL && any->plan != NULL &&
	    (ip_addr_equal(&any->plan->ask.client, peer) || policy_is_proxy(any->plan->ask.through, peer)))
		return any;
	return hold;
}

enum plan_match data_plans_arrive(struct data_plans *plans, const struct shared_port *port,
				  const struct ip_addr *peer, const struct ip_addr *host,
				  struct plan_ask *ret)
{
	struct plan_hold *hold = hit(plans, port, peer);
	struct plan_source *source;
	struct data_plan *plan;

	if (hold == NULL || (hold->plan != NULL && !ip_addr_equal(&hold->plan->ask.host, host)))
		return PLAN_NOBODY;
	source = hold->source;
	if (hold->plan == NULL) { /* this is what it was kept for */
		plan_free_hold(hold);
		look_at(source);
		return PLAN_LATE;
	}
	plan = hold->plan;
	*ret = plan->ask;
	plan_free_hold(hold);
	plan_free(plan);
	look_at(source);
	look_at_other(plans, ret);
	return PLAN_FOUND;
}

bool data_plans_wait_at(const struct data_plans *plans, const struct shared_port *port)
{
	struct data_plan *plan, *next;

	HASH_ITER (hh, plans->plans, plan, next)
		if (plan->hold != NULL && plan->hold->port == port)
			return true;
	return false;
}

void data_plans_close_port(struct data_plans *plans, const struct shared_port *port)
{
	struct plan_hold *hold, *next;

	HASH_ITER (hh, plans->holds, hold, next) {
		struct plan_source *source = hold->source;
		struct data_plan *plan = hold->plan;

		if (hold->port != port)
			continue;
		plan_free_hold(hold);
		if (plan != NULL)
			plan_free(plan);
		plan_free_source_if_unused(source);
	}
}

void data_plans_done(struct data_plans *plans)
{
	struct data_plan *plan, *next_plan;
	struct plan_hold *hold, *next_hold;
	struct plan_source *source, *next_source;

	HASH_ITER (hh, plans->holds, hold, next_hold)
		plan_free_hold(hold);
	HASH_ITER (hh, plans->plans, plan, next_plan)
		plan_free(plan);
	HASH_ITER (hh, plans->sources, source, next_source)
		plan_free_source_if_unused(source);
}
