/*
 * TLS on the client's control connection: the way in (AUTH, implicit) and the
 * way out (CCC, REIN).
 */
#ifndef ATTLSD_GATEWAY_WORKER_CONTROL_TLS_H
#define ATTLSD_GATEWAY_WORKER_CONTROL_TLS_H

#include "gateway/worker/session-state.h"

/* Begin the handshake with the client. */
void control_tls_start(struct session *session);

/* AUTH was accepted. Ends the session when something in the clear came behind it. */
void control_tls_auth(struct session *session);

/* CCC or REIN was accepted. Ends the session when something inside TLS came behind it. */
void control_tls_stop(struct session *session, bool notify);

/* The client's socket is ready while session->tls is not idle: go on. */
void control_tls_step(struct session *session);

/* The TLS timer has run out. */
void control_tls_timeout(struct session *session);

#endif
