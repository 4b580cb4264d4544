/* Carries out the actions of the FTP machine. */
#ifndef ATTLSD_GATEWAY_WORKER_CONTROL_ACT_H
#define ATTLSD_GATEWAY_WORKER_CONTROL_ACT_H

#include "gateway/worker/session-state.h"

/*
 * Carry out all actions in worker->out, including those added meanwhile, and empty
 * it. May end the session.
 */
void control_act(struct session *session);

#endif
