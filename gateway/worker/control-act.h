/*
 * Carrying out what the FTP machine wants.
 */
#ifndef ATTLSD_GATEWAY_WORKER_CONTROL_ACT_H
#define ATTLSD_GATEWAY_WORKER_CONTROL_ACT_H

#include "gateway/worker/session-state.h"

/* Do all that worker->out lists, also what comes up meanwhile, and empty it. May end the session. */
void control_act(struct session *session);

/* Dial the server. */
void control_dial_server(struct session *session);

/* The monitor's answer: a socket with the client's address to dial the server with. *fd becomes the
 * session's. */
void control_server_granted(struct session *session, int error, int *fd);

/* The dial has come to something (EPOLLOUT). */
void control_server_connected(struct session *session);

/*
 * The server cannot be reached or says nothing. The machine hears of it from
 * control_run() when the client can: after its handshake.
 */
void control_server_down(struct session *session, const char *error);

#endif
