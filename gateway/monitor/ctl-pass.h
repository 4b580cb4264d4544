/* Passes a question on to the workers. */
#ifndef ATTLSD_GATEWAY_MONITOR_CTL_PASS_H
#define ATTLSD_GATEWAY_MONITOR_CTL_PASS_H

#include "gateway/base/ctl-proto.h"
#include "gateway/base/msg.h"
#include "gateway/monitor/children.h"

/* Each worker sends its list through fd, which stays the caller's. Sets the type of the message. */
void ctl_pass_question(const struct children *children, int fd, enum ctl_proto_what what, struct msg msg);

#endif
