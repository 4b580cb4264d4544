/* Passes a question on to the workers. */
#ifndef ATTLSD_GATEWAY_MONITOR_CTL_PASS_H
#define ATTLSD_GATEWAY_MONITOR_CTL_PASS_H

#include "gateway/base/msg.h"
#include "gateway/monitor/children.h"

/* Each worker gets this message, and sends its list through fd, which stays the caller's. */
void ctl_pass_question(const struct children *children, int fd, const struct msg *msg);

#endif
