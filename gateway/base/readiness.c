/*
 * The first reason that holds is the answer: a draining attlsd has no serving worker either,
 * and an operator's order explains more than a number.
 */
#include "gateway/base/readiness.h"

static const char *const words[READINESS_STATES] = {
	[READINESS_SILENT] = "silent",
	[READINESS_STARTING] = "starting",
	[READINESS_MAINTENANCE] = "maintenance",
	[READINESS_DRAINING] = "draining",
	[READINESS_NO_AUDIT] = "no-audit",
	[READINESS_NO_WORKER] = "no-worker",
	[READINESS_FULL] = "full",
	[READINESS_READY] = "ready",
};

enum readiness readiness_of(const struct answer_gateway *gateway, uint32_t starting, uint32_t serving)
{
	if (gateway->draining != 0)
		return READINESS_DRAINING;
	if (gateway->maintenance != 0)
		return READINESS_MAINTENANCE;
	if (gateway->unaudited_refused != 0)
		return READINESS_NO_AUDIT;
	if (serving == 0)
		return starting > 0 ? READINESS_STARTING : READINESS_NO_WORKER;
	return gateway->sessions >= gateway->limit ? READINESS_FULL : READINESS_READY;
}

const char *readiness_word(enum readiness readiness)
{
	return words[readiness];
}

unsigned readiness_weight(const struct answer_gateway *gateway)
{
	uint64_t free = gateway->sessions < gateway->limit ? gateway->limit - gateway->sessions : 0;
	unsigned weight = free > 0 ? (unsigned)(free * 100 / gateway->limit) : 0;

	return free > 0 && weight == 0 ? 1 : weight;
}
