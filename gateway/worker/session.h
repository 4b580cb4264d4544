/*
 * A session's life: it begins with a connection from the monitor, hears what
 * the monitor answers, and ends by order.
 */
#ifndef ATTLSD_GATEWAY_WORKER_SESSION_H
#define ATTLSD_GATEWAY_WORKER_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/msg.h"
#include "gateway/worker/session-state.h"

/* Serve a connection that the monitor handed over. *fd becomes the session's (and -1) in any case. */
void session_start(struct worker *worker, const struct msg *msg, int *fd);

/* Has the server owed an answer for longer than this, while nothing moves? */
bool session_is_stuck(const struct session *session, uint64_t limit_ms);

/* The worker drains: end as soon as no transfer is running. */
void session_shutdown(struct session *session);

/* An operator has ordered its end: the client hears so, a transfer is cut off. */
void session_dismiss(struct session *session);

/* The monitor's answer to MSG_SOCKET, MSG_ANNOUNCE or MSG_SESSION_SOURCE. *fd becomes the session's, or
 * stays. */
void session_granted(struct session *session, const struct msg *msg, int *fd);

#endif
