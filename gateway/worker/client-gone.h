/*
 * A client that has closed its control connection during an upload, or before one of its last
 * commands began it: is the file whole? Its kernel ends both connections in order, too, when the client dies.
 */
#ifndef ATTLSD_GATEWAY_WORKER_CLIENT_GONE_H
#define ATTLSD_GATEWAY_WORKER_CLIENT_GONE_H

#include "gateway/worker/session-state.h"

/*
 * Does the client wait for the end of an upload, and then for QUIT? It has sent everything,
 * then, and the end of its data connection shows whether that is true.
 */
bool client_gone_quits(const struct session *session);

/* The data have ended in order, the client will say nothing more, and this is not QUIT. */
bool client_gone_early(const struct session *session);

#endif
