/* What operators see of backends with several servers, and the orders about one of these. */
#ifndef ATTLSD_GATEWAY_MONITOR_CTL_BACKENDS_H
#define ATTLSD_GATEWAY_MONITOR_CTL_BACKENDS_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/monitor/backends.h"

/*
 * Send the servers from number *sent on, and the end of the list. Returns as ctl_proto_send() does; after
 * -EAGAIN, call it again.
 */
int ctl_backends_send(int fd, const struct backends *backends, uint64_t *sent);

/*
 * Disable or enable the server that `ask` names. Returns ANSWER_DONE, or ANSWER_REFUSED: there is none. The
 * text says it.
 */
enum answer_kind ctl_backends_order(struct backends *backends, const struct ask *ask,
				    char text[static ANSWER_TEXT_MAX]);

#endif
