/* The lines that log-memory.h has, as answers for an operator. */
#ifndef ATTLSD_GATEWAY_BASE_EVENT_LIST_H
#define ATTLSD_GATEWAY_BASE_EVENT_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/ctl-proto.h"

/* The oldest line after this number, and its number; false: there is none. */
bool event_list_next(uint64_t *number, struct answer *ret_answer);

#endif
