/* PROGRESS: a log line every few seconds for a transfer that is under way. */
#ifndef ATTLSD_GATEWAY_WORKER_PROGRESS_LOG_H
#define ATTLSD_GATEWAY_WORKER_PROGRESS_LOG_H

#include "gateway/worker/session-state.h"

/* A transfer has begun. Without `progress` in the policy, this does nothing. */
void progress_log_start(struct session *session);

/* The session's progress_timer. It stops by itself once no transfer is under way. */
void progress_log_look(struct timer *timer);

#endif
