/* The connection to the server: dialling it, and what becomes of that. */
#ifndef ATTLSD_GATEWAY_WORKER_CONTROL_DIAL_H
#define ATTLSD_GATEWAY_WORKER_CONTROL_DIAL_H

#include "gateway/base/server-failure.h"
#include "gateway/worker/session-state.h"

/* Dial the server. */
void control_dial_server(struct session *session);

/*
 * The monitor's answer: a socket bound to the client's address, to dial the server
 * with. The session takes *fd over.
 */
void control_server_granted(struct session *session, int error, int *fd);

/* The monitor's answer: server `index` of the backend is the session's, and there are `left` others. */
void control_server_chosen(struct session *session, int error, uint32_t index, uint32_t left);

/* The connection attempt has ended (EPOLLOUT). */
void control_server_connected(struct session *session);

/*
 * The server cannot be reached or sends nothing. control_run() tells the machine
 * when the client can get a reply, which is after its handshake.
 */
void control_server_down(struct session *session, const char *error);

/* The server does not serve, and its greeting does not count yet: take another one, or it is down. */
void control_server_failed(struct session *session, enum server_failure failure, const char *error);

/* This address of the server could not be reached: dial the next one, or the server is down. r: a negative
 * errno. */
void control_dial_failed(struct session *session, int r, const char *error);

#endif
