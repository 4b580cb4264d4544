/* Logs the orders of operators. */
#ifndef ATTLSD_GATEWAY_MONITOR_CTL_LOG_H
#define ATTLSD_GATEWAY_MONITOR_CTL_LOG_H

/* Log an order and who gave it through this connection, at any log level: auditors ask for it. */
void ctl_log_order(int fd, const char *order);

#endif
