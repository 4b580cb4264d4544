/*
 * Dials the server's data port: before the transfer command if possible, because the
 * session can then try another way if the port cannot be reached, and with the
 * transfer command at the latest.
 */
#ifndef ATTLSD_GATEWAY_WORKER_DATA_DIAL_H
#define ATTLSD_GATEWAY_WORKER_DATA_DIAL_H

#include <stdbool.h>

#include "gateway/base/loop.h"
#include "gateway/worker/data-leg.h"

struct data_dial {
	struct data_legs *legs;
	struct timer timer;
	bool running; /* before the transfer; on_settled() follows */
	/* Before the transfer: the server's leg is up, or its port cannot be reached. */
	void (*on_settled)(struct data_dial *dial, bool up);
};

void data_dial_init(struct data_dial *dial, struct data_legs *legs,
		    void (*on_settled)(struct data_dial *dial, bool up));

/* Dial the server, if it has named a port and its leg is not up. */
void data_dial_server(struct data_legs *legs);

/* The same before the transfer; data_dial_check() follows. */
void data_dial_early(struct data_dial *dial);

/* The server's leg has changed: call on_settled() if dialling has ended. A transfer may begin in that call.
 */
void data_dial_check(struct data_dial *dial);

/* The transfer begins, or the plan is dropped: on_settled() is not called any more. */
void data_dial_forget(struct data_dial *dial);

#endif
