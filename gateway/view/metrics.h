/*
 * What an attlsd has counted, as a reader has it: the answers to CTL_METRICS put
 * together.
 */
#ifndef ATTLSD_GATEWAY_VIEW_METRICS_H
#define ATTLSD_GATEWAY_VIEW_METRICS_H

#include "gateway/base/counters.h"
#include "gateway/base/ctl-proto.h"

/* All zero before the first answer. */
struct metrics {
	struct answer_gateway gateway;
	struct counters values;
	/* "": there is no such name. The last place of each kind is that of all others. */
	struct answer_name names[COUNT_KINDS][COUNT_NAMES];
};

/*
 * Take one answer of the monitor into a struct metrics. Returns 1 when all is there; 0: more follows; -1:
 * this is no such answer.
 */
int metrics_take(void *metrics, const struct answer *answer);

#endif
