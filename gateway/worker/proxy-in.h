/*
 * The PROXY protocol from a trusted load balancer, which names the client. proxy-
 * header.h has the format, proxy-out.h the header to the server.
 */
#ifndef ATTLSD_GATEWAY_WORKER_PROXY_IN_H
#define ATTLSD_GATEWAY_WORKER_PROXY_IN_H

#include <stdbool.h>

#include "gateway/base/msg.h"
#include "gateway/worker/session-state.h"

/*
 * Wait for the header, then ask the monitor to admit the client; its answer goes to
 * proxy_in_answered(). If this takes longer than a handshake may, the session ends.
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
