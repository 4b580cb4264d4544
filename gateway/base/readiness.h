/*
 * Should attlsd get new clients? One judgement for all who tell load balancers: attlsctl status
 * --ready, /readyz, the agent and the metrics.
 */
#ifndef ATTLSD_GATEWAY_BASE_READINESS_H
#define ATTLSD_GATEWAY_BASE_READINESS_H

#include <stdint.h>

#include "gateway/base/ctl-proto.h"

/* From the second on in the order of COUNT_LABEL_READY. */
enum readiness {
	READINESS_SILENT = 0, /* nobody answers: only the asker can know this */
	READINESS_STARTING,
	READINESS_MAINTENANCE,
	READINESS_DRAINING,
	READINESS_NO_AUDIT, /* the audit trail cannot be written, and audit_failure is refuse */
	READINESS_NO_WORKER,
	READINESS_FULL, /* as many sessions as the policy allows */
	READINESS_READY,
	READINESS_STATES
};

/* starting, serving: how many workers are WORKER_STARTS and WORKER_SERVES. */
enum readiness readiness_of(const struct answer_gateway *gateway, uint32_t starting, uint32_t serving);

/* One word for programs, such as "no-worker". */
const char *readiness_word(enum readiness readiness);

/*
 * What part of the sessions that the policy allows is free, in per cent: 0 only if none is, so that a
 * balancer does not take a loaded gateway for a full one.
 */
unsigned readiness_weight(const struct answer_gateway *gateway);

#endif
