/* Ends a session. In docs/LAYERS it is below every module that may end one. */
#ifndef ATTLSD_GATEWAY_WORKER_SESSION_END_H
#define ATTLSD_GATEWAY_WORKER_SESSION_END_H

#include "gateway/worker/session-state.h"

/* Log a failed login and report it to the monitor. by: who did not let the user in. */
void session_login_failed(struct session *session, const char *by, const char *key);

/*
 * End now; reason is for the log. Both control connections are closed, the
 * client's in order if that is possible. The session itself lives until the end
 * of the turn.
 */
void session_end(struct session *session, const char *reason);

/* session->deferred.fn */
void session_free(struct deferred *deferred);

#endif
