/* The end of a security context of GSSAPI; control-gssapi.h has its life. */
#ifndef ATTLSD_GATEWAY_WORKER_SESSION_GSSAPI_H
#define ATTLSD_GATEWAY_WORKER_SESSION_GSSAPI_H

#include "gateway/worker/session-state.h"

/* Wipe and free what the session has of it. Its data connections are closed. */
void session_gssapi_forget(struct session *session);

#endif
