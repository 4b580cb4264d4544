/* Counts sessions: how many there are and what they do (gateway/base/counters.def). */
#ifndef ATTLSD_GATEWAY_WORKER_SESSION_COUNT_H
#define ATTLSD_GATEWAY_WORKER_SESSION_COUNT_H

#include "gateway/worker/session-state.h"

/* It begins, or a health check has become a session. */
void session_count_start(struct session *session);
/* What it does may have changed. */
void session_count_state(struct session *session);
/* Not for a health check. */
void session_count_end(struct session *session, const char *reason);

#endif
