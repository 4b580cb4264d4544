/*
 * Starts a session with a connection from the monitor, takes the monitor's answers,
 * and ends the session on request.
 */
#ifndef ATTLSD_GATEWAY_WORKER_SESSION_H
#define ATTLSD_GATEWAY_WORKER_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/msg.h"
#include "gateway/worker/session-state.h"

/* Serve a connection from the monitor. Takes *fd over (and sets it to -1) in any case. */
void session_start(struct worker *worker, const struct msg *msg, int *fd);

/* Has a reply of the server been missing for longer than this, while no data moves? */
bool session_is_stuck(const struct session *session, uint64_t limit_ms);

/* The worker drains: end the session as soon as no transfer is running. */
void session_shutdown(struct session *session);

/* attlsd ends at once: tell the client, and cut off a transfer. */
void session_stop(struct session *session);

/* An operator has ended the session: tell the client, and cut off a transfer. */
void session_dismiss(struct session *session);

/* The monitor's answer to MSG_SOCKET, MSG_ANNOUNCE or MSG_SESSION_SOURCE. May take *fd over. */
void session_granted(struct session *session, const struct msg *msg, int *fd);

#endif
