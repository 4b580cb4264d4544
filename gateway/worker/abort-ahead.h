/* An ABOR of the client that cannot be carried out yet, because lines before it have to wait. */
#ifndef ATTLSD_GATEWAY_WORKER_ABORT_AHEAD_H
#define ATTLSD_GATEWAY_WORKER_ABORT_AHEAD_H

#include "gateway/worker/session-state.h"

/* Has the client sent ABOR for the upload that runs, among the lines that are in memory? */
bool abort_ahead(const struct session *session);

#endif
