/* Describes the processes of attlsd for control_socket. */
#ifndef ATTLSD_GATEWAY_MONITOR_CTL_DESCRIBE_H
#define ATTLSD_GATEWAY_MONITOR_CTL_DESCRIBE_H

#include <stdint.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/base/ctl-question.h"
#include "gateway/monitor/children.h"
#include "gateway/monitor/older.h"

/* Fill in what describe() of struct ctl_calls says about this process and its policy file; the rest stays. */
/* The same path without the folder of the process. Returns buf, cut if it is longer. */
const char *ctl_describe_path(const char *path, char *buf, size_t size);

void ctl_describe_gateway(struct answer_gateway *gateway, const char *policy_path);

/* Send ANSWER_OLDER for each of them. Returns what ctl_proto_send() does. */
int ctl_describe_older(int fd, const struct older_set *set, const struct ctl_question *question);

/* Send ANSWER_WORKER. Returns what ctl_proto_send() does. */
int ctl_describe_worker(int fd, const struct child *child);

/* Send the monitor's own events after number *sent, which moves on. Returns what ctl_proto_send() does. */
int ctl_describe_events(int fd, uint64_t *sent);

/*
 * Send ANSWER_WORKER for the workers that are still missing: hundreds do not fit into a socket at
 * once. If workers start or exit meanwhile, the operator has to ask again. Returns as above.
 */
int ctl_describe_workers(int fd, const struct children *children, uint32_t announced, uint32_t *sent);

#endif
