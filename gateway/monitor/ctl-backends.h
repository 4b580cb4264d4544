/* What operators see of backends with several servers, and the orders about one of these. */
#ifndef ATTLSD_GATEWAY_MONITOR_CTL_BACKENDS_H
#define ATTLSD_GATEWAY_MONITOR_CTL_BACKENDS_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/monitor/backends.h"

/* How much a reader has; all zero at first. */
struct ctl_backends {
	uint64_t sent;
	bool whole;
};

/*
 * Send the servers that the reader has not, and the end of the list. Returns as ctl_proto_send() does; after
 * -EAGAIN, call it again. Once all was sent, it does nothing.
 */
int ctl_backends_send(int fd, const struct backends *backends, struct ctl_backends *reader);

/*
 * Disable or enable the server that `ask` names. Returns ANSWER_DONE, or ANSWER_REFUSED: there is none. The
 * text says it.
 */
enum answer_kind ctl_backends_order(struct backends *backends, const struct ask *ask,
				    char text[static ANSWER_TEXT_MAX]);

#endif
