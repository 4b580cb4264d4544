/*
 * Counts successes and failures of a server in a row. A server that has failed is
 * avoided at once, so that a dead server costs one client its time, not each; it is
 * called down after `fall` failures. After `interval` one session tries it again.
 */
#include "gateway/monitor/server-health.h"

/* A worker's word that a server is down needs that of another one, also with `fall: 1`. */
#define WITNESSES 2

static enum server_change take_failure(struct server_health *health, const struct policy_health *limits,
				       pid_t by, bool others)
{
	health->succeeded = 0;
	health->succeeded_by = 0;
	if (health->failed == 0 || !others || health->failed_by != by)
		health->failed += health->failed < UINT32_MAX;
	health->failed_by = by;
	if (health->down || health->failed < limits->fall || (others && health->failed < WITNESSES))
		return SERVER_CHANGE_NONE;
	health->down = true;
	return SERVER_CHANGE_DOWN;
}

static enum server_change take_success(struct server_health *health, const struct policy_health *limits,
				       pid_t by, bool others)
{
	if (health->succeeded == 0 || !others || health->succeeded_by != by)
		health->succeeded += health->succeeded < UINT32_MAX;
	health->succeeded_by = by;
	if (health->down && health->succeeded < limits->rise)
		return SERVER_CHANGE_NONE;
	health->failed = 0;
	health->failed_by = 0;
	health->failure = SERVER_FAILURE_NONE;
	if (!health->down)
		return SERVER_CHANGE_NONE;
	health->down = false;
	return SERVER_CHANGE_UP;
}

enum server_change server_health_take(struct server_health *health, const struct policy_health *limits,
				      enum server_failure failure, pid_t by, bool others, uint64_t now_ms)
{
	if (failure == SERVER_FAILURE_NONE) {
		health->retry_ms = now_ms; /* down, but it works: the next session may prove it again */
		return take_success(health, limits, by, others);
	}
	health->failure = failure;
	health->retry_ms = now_ms + limits->interval_ms;
	return take_failure(health, limits, by, others);
}

enum balance_class server_health_class(const struct server_health *health, const struct policy_health *limits,
				       uint64_t now_ms)
{
	/* where checks find out whether it lives again, no session has to */
	if (health->failed == 0 || (limits->check == HEALTH_CHECK_NONE && now_ms >= health->retry_ms))
		return BALANCE_GOOD;
	return health->down ? BALANCE_BAD : BALANCE_DOUBTFUL;
}

void server_health_tried(struct server_health *health, const struct policy_health *limits, uint64_t now_ms)
{
	if (health->failed > 0)
		health->retry_ms = now_ms + limits->interval_ms;
}
