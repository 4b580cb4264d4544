/* The monitor's orders about the trace: an operator wants to follow it, or to read what is kept. */
#ifndef ATTLSD_GATEWAY_WORKER_TRACE_ORDER_H
#define ATTLSD_GATEWAY_WORKER_TRACE_ORDER_H

#include "gateway/base/msg.h"
#include "gateway/worker/context.h"

/* MSG_TRACE. Both take *fd over. */
void trace_order_follow(struct worker *worker, const struct msg *msg, int *fd);
/* MSG_TRACE_LAST */
void trace_order_last(struct worker *worker, const struct msg *msg, int *fd);

#endif
