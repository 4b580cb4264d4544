/*
 * The PROXY protocol from a trusted load balancer: who the client is. The bytes
 * are proxy-header.h's; what goes to the server is proxy-out.h's.
 */
#ifndef ATTLSD_GATEWAY_WORKER_PROXY_IN_H
#define ATTLSD_GATEWAY_WORKER_PROXY_IN_H

#include <stdbool.h>

#include "gateway/base/msg.h"
#include "gateway/worker/session-state.h"

/*
 * Wait for the header, then ask the monitor whether that client may come in; its
 * answer goes to proxy_in_answered(). All of it has to be done in the time of a
 * handshake, or the session ends.
 */
void proxy_in_start(struct session *session);

/* The client's socket is ready while session_awaits_proxy(). */
void proxy_in_step(struct session *session);

/* MSG_SESSION_ADMITTED or _REFUSED. Returns whether the session may begin; if not, it has ended or goes on
 * waiting. */
bool proxy_in_answered(struct session *session, const struct msg *msg);

/* The phase timer has run out while session_awaits_proxy(). */
void proxy_in_timeout(struct session *session);

#endif
