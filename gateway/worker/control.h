/*
 * The two control connections of a session: reads bytes, passes lines to the
 * machine, carries out its actions, sends lines.
 */
#ifndef ATTLSD_GATEWAY_WORKER_CONTROL_H
#define ATTLSD_GATEWAY_WORKER_CONTROL_H

#include "gateway/worker/session-state.h"

/*
 * Call this after any event: it carries out the machine's actions (worker->out),
 * offers buffered lines to the machine until none is taken, sends, and asks for the
 * right events. Only this function does so.
 */
void control_run(struct session *session);

/* The client is known, and its handshake is done if TLS comes first: one of us greets it. */
void control_greet_or_dial(struct session *session);

/* The phase timer in PHASE_CLIENT_EOF. */
void control_eof_timeout(struct session *session);

/* Watch functions of the two streams. */
void control_client_event(struct watch *watch, uint32_t ready);
void control_server_event(struct watch *watch, uint32_t ready);

/*
 * The server began a reply and sent nothing after a line that looks like the end of
 * another reply: it probably ends its replies with other codes.
 */
void control_reply_timeout(struct session *session);

#endif
