/* Logs the orders of operators. */
#ifndef ATTLSD_GATEWAY_MONITOR_CTL_LOG_H
#define ATTLSD_GATEWAY_MONITOR_CTL_LOG_H

#include <stdint.h>

#include "gateway/base/ctl-proto.h"

/*
 * Log an order and who gave it through this connection, at any log level: auditors ask for it.
 * ask: the session that it is about, if any, and its options.
 */
void ctl_log_order(int fd, const char *name, const struct ask *ask);

/* The same for an order that the sender may not give, unless another one was logged just before, at *last_ms.
 */
void ctl_log_refused(int fd, const char *reason, uint64_t now_ms, uint64_t *last_ms);

#endif
