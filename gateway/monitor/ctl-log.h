/* Logs the orders of operators. */
#ifndef ATTLSD_GATEWAY_MONITOR_CTL_LOG_H
#define ATTLSD_GATEWAY_MONITOR_CTL_LOG_H

#include <stdint.h>
#include <sys/socket.h>

#include "gateway/base/ctl-proto.h"

/*
 * Log an order and who gave it through this connection, at any log level: auditors ask for it.
 * ask: the session that it is about, if any, and its options.
 */
void ctl_log_order(int fd, const char *name, const struct ask *ask);

/*
 * Log that the sender may not ask this, unless another refusal was logged just before, at *last_ms.
 * who: the sender, if it is not the process that made the other end of this connection. NULL: it is.
 */
void ctl_log_refused(int fd, const struct ucred *who, const char *reason, uint64_t now_ms, uint64_t *last_ms);

#endif
