/*
 * TLS on the client's control connection: the way in (AUTH, implicit) and the
 * way out (CCC, REIN).
 */
#ifndef ATTLSD_GATEWAY_WORKER_CONTROL_TLS_H
#define ATTLSD_GATEWAY_WORKER_CONTROL_TLS_H

#include "gateway/worker/session-state.h"

/* Begin the handshake with the client. */
void control_tls_start(struct session *session);

/* AUTH was accepted. Ends the session if cleartext came after it. */
void control_tls_auth(struct session *session);

/* CCC or REIN was accepted. Ends the session if bytes under TLS came after it. */
void control_tls_stop(struct session *session, bool notify);

/* The client has used a ticket, or its tickets grow old: give it a new one before the next reply. */
void control_tls_renew_ticket(struct session *session);

/* session->user has logged in: what the client is given to resume from now on names the user as well. */
void control_tls_logged_in(struct session *session);

/* A data connection is being planned: if the last ticket is old, let the next reply bring a new one. */
void control_tls_look_at_ticket(struct session *session);

/* The client's socket is ready in PHASE_HANDSHAKE or PHASE_LEAVING_TLS. */
void control_tls_step(struct session *session);

/* The phase timer has run out in one of the two. */
void control_tls_timeout(struct session *session);

#endif
