/*
 * Health checks of servers (backends.*.health.check). The monitor orders each one, this
 * process makes it and reports: a check is no session, and counts in no limit.
 */
#ifndef ATTLSD_GATEWAY_WORKER_SERVER_CHECK_H
#define ATTLSD_GATEWAY_WORKER_SERVER_CHECK_H

#include "gateway/base/msg.h"
#include "gateway/worker/context.h"

/* MSG_CHECK. Without memory or descriptors it says nothing of the server, and reports nothing. */
void server_check_start(struct worker *worker, const struct msg *order);

/* The process is about to end. */
void server_checks_done(struct worker *worker);

#endif
