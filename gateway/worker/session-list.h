/* The list of a worker's sessions for an operator, oldest first; see dump.h. */
#ifndef ATTLSD_GATEWAY_WORKER_SESSION_LIST_H
#define ATTLSD_GATEWAY_WORKER_SESSION_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/ctl-proto.h"

struct session;
struct worker;

/* Does the filter let this session through? */
bool session_list_wants(const struct worker *worker, const struct session_filter *filter,
			const struct session *session);

/* A dump_next_fn: an ANSWER_SESSION. A place is the number of a session. */
bool session_list_next(const struct worker *worker, const struct session_filter *filter, uint64_t *at,
		       struct answer *ret_answer);

#endif
