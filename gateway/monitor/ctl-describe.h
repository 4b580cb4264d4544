/* Describes the processes of attlsd for control_socket. */
#ifndef ATTLSD_GATEWAY_MONITOR_CTL_DESCRIBE_H
#define ATTLSD_GATEWAY_MONITOR_CTL_DESCRIBE_H

#include <stdint.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/monitor/children.h"

/* Fill in what describe() of struct ctl_calls says about this process and its policy file; the rest stays. */
void ctl_describe_gateway(struct answer_gateway *gateway, const char *policy_path);

/* Send ANSWER_WORKER. Returns what ctl_proto_send() does. */
int ctl_describe_worker(int fd, const struct child *child);

/* Send the monitor's own events after number *sent, which moves on. Returns what ctl_proto_send() does. */
int ctl_describe_events(int fd, uint64_t *sent);

#endif
