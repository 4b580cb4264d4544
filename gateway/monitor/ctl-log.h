/* Logs the orders of operators. */
#ifndef ATTLSD_GATEWAY_MONITOR_CTL_LOG_H
#define ATTLSD_GATEWAY_MONITOR_CTL_LOG_H

/* Log an order and who gave it through this connection, at any log level: auditors ask for it. */
void ctl_log_order(int fd, const char *order);

/* The same for an order that the sender may not give. */
void ctl_log_refused(int fd, const char *reason);

#endif
