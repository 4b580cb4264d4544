/*
 * The PROXY protocol on both sides of a session: who the client is, from a
 * trusted load balancer in front; and the same, with the facts of TLS, for the
 * server behind. The bytes are proxy-header.h's.
 */
#ifndef ATTLSD_GATEWAY_WORKER_PROXY_IN_H
#define ATTLSD_GATEWAY_WORKER_PROXY_IN_H

#include <stdbool.h>

#include "gateway/base/msg.h"
#include "gateway/worker/session.h"

/*
 * Wait for the header, then ask the monitor whether that client may come in;
 * session_begin() follows, or the session's end. All of it has to be done in the
 * time of a handshake.
 */
void proxy_in_start(struct session *session);

/* The client's socket is ready while session->proxy is not SESSION_PROXY_DONE. */
void proxy_in_step(struct session *session);

/* MSG_SESSION_ADMITTED or _REFUSED. */
void proxy_in_answered(struct session *session, const struct msg *msg);

/* The TLS timer has run out while session->proxy is not SESSION_PROXY_DONE. */
void proxy_in_timeout(struct session *session);

/* Nothing more is awaited: give the memory back. */
void proxy_in_done(struct session *session);

/* May this peer dial a passive data port of the session's, though it is not the client? */
bool proxy_in_may_dial(const struct session *session, const struct ip_addr *peer);

/* Send the header that the backend is to have, first thing on a connection to it. */
void proxy_out_send(const struct session *session, struct stream *stream);

#endif
