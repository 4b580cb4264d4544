/*
 * The two control connections of a session: bytes in, lines to the machine,
 * its actions carried out, lines out.
 */
#ifndef ATTLSD_GATEWAY_CONTROL_H
#define ATTLSD_GATEWAY_CONTROL_H

#include "gateway/session.h"

/*
 * After anything has happened: carry out what the machine wants (worker->out),
 * offer it what waits in the windows until nothing moves any more, send, and
 * ask for the right events. The only place that does.
 */
void control_run(struct session *session);

/* Watch functions of the two streams. */
void control_client_event(struct watch *watch, uint32_t ready);
void control_server_event(struct watch *watch, uint32_t ready);

/* The server cannot be reached or says nothing; control_run() goes on from there. */
void control_server_down(struct session *session, const char *error);

/* Dial the server. */
void control_dial_server(struct session *session);

/* CCC: our close_notify is due now (the TLS timer has run out). */
void control_tls_notify(struct session *session);

/* Begin the handshake with the client. */
void control_tls_start(struct session *session);

#endif
