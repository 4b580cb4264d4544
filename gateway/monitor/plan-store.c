/*
 * Keeps plans, holds and sources in their hashes and lists. Each object is in exactly
 * those that plan-store.h names.
 */
#include "gateway/monitor/plan-store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "gateway/base/util.h"

const struct ip_addr plan_balanced = { .family = IP_NONE };

struct plan_hold *plan_find_hold(const struct data_plans *plans, const struct ip_addr *source,
				 const struct shared_port *port)
{
	struct hold_key key;
	struct plan_hold *hold;

	memset(&key, 0, sizeof(key)); /* a hash key must not hold chance padding */
	key.source.family = source->family;
	memcpy(key.source.bytes, source->bytes, sizeof(key.source.bytes));
	key.port = port->id;
	HASH_FIND(hh, plans->holds, &key, sizeof(key), hold);
	return hold;
}

struct plan_source *plan_find_source(const struct data_plans *plans, const struct ip_addr *addr)
{
	struct plan_source *source;

	HASH_FIND(hh, plans->sources, addr, sizeof(*addr), source);
	return source;
}

struct data_plan *plan_find(const struct data_plans *plans, uint64_t session)
{
	struct data_plan *plan;

	HASH_FIND(hh, plans->plans, &session, sizeof(session), plan);
	return plan;
}

void plan_free_hold(struct plan_hold *hold)
{
	struct data_plans *plans = hold->source->plans;

	if (hold->plan == NULL)
		DL_DELETE(hold->source->kept, hold);
	HASH_DEL(plans->holds, hold);
	free(hold);
}

void plan_free_source_if_unused(struct plan_source *source)
{
	if (source->waiting != NULL || source->told != NULL || source->kept != NULL)
		return;
	loop_timer_stop(source->plans->loop, &source->timer);
	HASH_DEL(source->plans->sources, source);
	free(source);
}

void plan_free(struct data_plan *plan)
{
	struct plan_source *source = plan->source;

	if (plan->hold != NULL)
		DL_DELETE(source->told, plan);
	else
		DL_DELETE(source->waiting, plan);
	HASH_DEL(source->plans->plans, plan);
	free(plan);
}

static struct plan_source *source_for(struct data_plans *plans, const struct plan_ask *ask,
				      timer_fn *on_timer)
{
	struct ip_addr addr;
	struct plan_source *source;

	memset(&addr, 0, sizeof(addr)); /* as for plan_find_hold() */
	if (ask->through == NULL) {
		addr.family = ask->client.family;
		memcpy(addr.bytes, ask->client.bytes, sizeof(addr.bytes));
	}
	source = plan_find_source(plans, &addr);
	if (source != NULL)
		return source;
	source = calloc(1, sizeof(*source));
	if (source == NULL)
		return NULL;
	source->addr = addr;
	source->plans = plans;
	timer_init(&source->timer, on_timer);
	HASH_ADD(hh, plans->sources, addr, sizeof(source->addr), source);
	return source;
}

struct data_plan *plan_add(struct data_plans *plans, const struct plan_ask *ask, timer_fn *on_timer)
{
	struct data_plan *plan = calloc(1, sizeof(*plan));
	struct plan_source *source = plan != NULL ? source_for(plans, ask, on_timer) : NULL;

	if (source == NULL) {
		free(plan);
		return NULL;
	}
	plan->ask = *ask;
	plan->source = source;
	plan->since_ms = plans->loop->now_ms;
	HASH_ADD(hh, plans->plans, ask.session, sizeof(plan->ask.session), plan);
	DL_APPEND(source->waiting, plan);
	return plan;
}

int plan_take_port(struct data_plan *plan, const struct shared_port *port)
{
	struct plan_source *source = plan->source;
	struct data_plans *plans = source->plans;
	struct plan_hold *hold = plan_find_hold(plans, &source->addr, port);

	if (hold != NULL)
		plan_free_hold(hold);
	hold = calloc(1, sizeof(*hold));
	if (hold == NULL)
		return -ENOMEM;
	hold->key.source.family = source->addr.family;
	memcpy(hold->key.source.bytes, source->addr.bytes, sizeof(hold->key.source.bytes));
	hold->key.port = port->id;
	hold->port = port;
	hold->source = source;
	hold->plan = plan;
	HASH_ADD(hh, plans->holds, key, sizeof(hold->key), hold);
	DL_DELETE(source->waiting, plan);
	DL_APPEND(source->told, plan);
	plan->hold = hold;
	return 0;
}

void plan_retire(struct data_plan *plan)
{
	struct plan_source *source = plan->source;
	struct plan_hold *hold = plan->hold;

	if (hold != NULL) {
		hold->session = plan->ask.session;
		hold->until_ms = source->plans->loop->now_ms + PLAN_LATE_MS;
	}
	plan_free(plan);
	if (hold != NULL) {
		hold->plan = NULL;
		DL_APPEND(source->kept, hold);
	}
}
