/* Gathers what a session shows of its client, see base/habits.h. Belongs to the session. */
#ifndef ATTLSD_GATEWAY_WORKER_SESSION_HABITS_H
#define ATTLSD_GATEWAY_WORKER_SESSION_HABITS_H

#include <stddef.h>

#include "gateway/base/msg.h"
#include "gateway/worker/session-state.h"

/* A handshake with the client is about to begin. */
void session_habits_await_hello(struct session *session);

/* It is done. */
void session_habits_tls_up(struct session *session);

/* The client has sent a command, which was answered or passed on. */
void session_habits_command(struct session *session, const char *line, size_t len);

void session_habits_logged_in(struct session *session);

/* The session ends: what the monitor gets. */
struct msg session_habits_end(struct session *session);

#endif
