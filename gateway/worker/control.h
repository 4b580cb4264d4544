/*
 * The two control connections of a session: bytes in, lines to the machine,
 * its actions carried out, lines out.
 */
#ifndef ATTLSD_GATEWAY_WORKER_CONTROL_H
#define ATTLSD_GATEWAY_WORKER_CONTROL_H

#include "gateway/worker/session-state.h"

/*
 * After anything has happened: carry out what the machine wants (worker->out),
 * offer it what waits in the windows until nothing moves any more, send, and
 * ask for the right events. The only place that does.
 */
void control_run(struct session *session);

/* Watch functions of the two streams. */
void control_client_event(struct watch *watch, uint32_t ready);
void control_server_event(struct watch *watch, uint32_t ready);

/*
 * A reply of the server's was begun, and after a line that looks like the end of
 * another reply nothing has come: this server ends its replies with other codes.
 */
void control_reply_timeout(struct session *session);

#endif
