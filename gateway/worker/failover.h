/* What a server says instead of a greeting, or its end, as a reason to take another server. */
#ifndef ATTLSD_GATEWAY_WORKER_FAILOVER_H
#define ATTLSD_GATEWAY_WORKER_FAILOVER_H

#include <stdbool.h>

#include "gateway/worker/session-state.h"

/*
 * Another server takes the place of one that does not greet. False: this one's line or its end counts.
 * status: of the line in `reply`; FTP_REPLY_MORE: the connection has ended.
 */
bool failover_takes(struct session *session, enum ftp_reply_status status, const struct ftp_reply *reply);

#endif
