/*
 * The state of maintenance and its timer. It belongs to the monitor, not to a policy, so it
 * survives reloads; heritage.c hands it on at an upgrade. A restart forgets it.
 */
#include "gateway/monitor/maintenance.h"

#include "gateway/base/log.h"
#include "gateway/base/util.h"

#define MS_PER_S 1000

static void on_timer(struct timer *timer)
{
	struct maintenance *maintenance = CONTAINER_OF(timer, struct maintenance, end);

	maintenance->on_end(maintenance);
}

void maintenance_init(struct maintenance *maintenance, struct loop *loop,
		      void (*on_end)(struct maintenance *maintenance))
{
	*maintenance = (struct maintenance){ .loop = loop, .on_end = on_end };
	timer_init(&maintenance->end, on_timer);
}

static int set(struct maintenance *maintenance, bool refuses, uint64_t since_ms, uint64_t end_ms)
{
	uint64_t now_ms = maintenance->loop->now_ms;
	int r = 0;

	if (end_ms != 0)
		r = loop_timer(maintenance->loop, &maintenance->end, end_ms > now_ms ? end_ms - now_ms : 0);
	else
		loop_timer_stop(maintenance->loop, &maintenance->end);
	if (r < 0)
		return r;
	maintenance->on = true;
	maintenance->refuses = refuses;
	maintenance->since_ms = since_ms;
	maintenance->end_ms = end_ms;
	return 0;
}

int maintenance_begin(struct maintenance *maintenance, bool refuses, uint32_t end_after_s)
{
	uint64_t now_ms = maintenance->loop->now_ms;
	uint64_t end_ms = end_after_s == 0 ? 0 : now_ms + (uint64_t)end_after_s * MS_PER_S;
	int r = set(maintenance, refuses, maintenance->on ? maintenance->since_ms : now_ms, end_ms);

	if (r == 0)
		log_event(LOG_LEVEL_INFO, "maintenance", LOG_TEXT("state", "on"),
			  LOG_TEXT("new-sessions", refuses ? "refused" : "served"),
			  LOG_NUMBER(end_after_s != 0 ? "drains-after" : "", end_after_s));
	return r;
}

void maintenance_end(struct maintenance *maintenance)
{
	if (!maintenance->on)
		return;
	loop_timer_stop(maintenance->loop, &maintenance->end);
	maintenance->on = maintenance->refuses = false;
	log_event(LOG_LEVEL_INFO, "maintenance", LOG_TEXT("state", "off"));
}

int maintenance_adopt(struct maintenance *maintenance, bool refuses, uint64_t since_ms, uint64_t end_ms)
{
	return set(maintenance, refuses, since_ms, end_ms);
}

void maintenance_describe(const struct maintenance *maintenance, struct answer_gateway *gateway)
{
	uint64_t now_ms = maintenance->loop->now_ms;

	gateway->maintenance = maintenance->on;
	gateway->refusing = maintenance->on && maintenance->refuses;
	gateway->maintenance_ms = maintenance->on ? now_ms - maintenance->since_ms : 0;
	if (maintenance->on && maintenance->end_ms != 0)
		/* never 0, which says that there is no end */
		gateway->deadline_ms = maintenance->end_ms > now_ms ? maintenance->end_ms - now_ms : 1;
}
