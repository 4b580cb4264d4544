/* What a control connection says when the data of a transfer have ended. */
#ifndef ATTLSD_GATEWAY_WORKER_LAST_LOOK_H
#define ATTLSD_GATEWAY_WORKER_LAST_LOOK_H

#include "gateway/net/relay.h"
#include "gateway/worker/data-leg.h"

/*
 * The data have ended in order. Is there nothing on the control connection of their
 * sender that could say otherwise? If there is, the loop calls its owner before it calls
 * a data connection again.
 */
relay_may_end_fn last_look;

/* Have the relay ask that. */
static inline void last_look_before_end(struct relay *relay, const struct data_control *control, bool upload)
{
	relay_ask(relay, last_look, upload ? control->client : control->server,
		  upload ? NULL : control->replies);
}

#endif
