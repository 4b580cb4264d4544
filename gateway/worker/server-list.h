/* The list of the servers that a worker remembers, for an operator; see dump.h. */
#ifndef ATTLSD_GATEWAY_WORKER_SERVER_LIST_H
#define ATTLSD_GATEWAY_WORKER_SERVER_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/ctl-proto.h"

struct worker;

/* A dump_next_fn: an ANSWER_SERVER for each server of which anything is known. */
bool server_list_next(const struct worker *worker, const struct session_filter *filter, uint64_t *at,
		      struct answer *ret_answer);

#endif
