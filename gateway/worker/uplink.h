/*
 * Sends a worker's messages to the monitor, in order and without blocking. A
 * doorbell wakes the monitor for urgent ones.
 */
#ifndef ATTLSD_GATEWAY_WORKER_UPLINK_H
#define ATTLSD_GATEWAY_WORKER_UPLINK_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/loop.h"
#include "gateway/base/msg.h"

struct uplink {
	struct loop *loop;
	struct watch channel; /* orders of the monitor */
	struct watch reports; /* the pipe to the monitor */
	int doorbell;	      /* an eventfd of the monitor's */
	unsigned undelivered; /* messages since it last rang */
	struct msg *outbox;   /* messages that did not fit into the pipe yet, in order */
	size_t noutbox, outbox_cap;
};

/* Where a worker's messages come from and go to. */
struct uplink_fds {
	int channel, reports, doorbell;
};

/* Takes the descriptors over. on_channel: an order has come. */
void uplink_init(struct uplink *uplink, struct loop *loop, const struct uplink_fds *fds,
		 watch_fn *on_channel);
void uplink_done(struct uplink *uplink);

/*
 * Send a message, or keep it for later: more sessions may end in one turn than the
 * pipe holds. A worker without its monitor would be neither counted nor
 * restarted, so a lost channel stops the loop.
 */
void uplink_send(struct uplink *uplink, const struct msg *msg);

/* The same for a message that is only about a session. */
void uplink_notify(struct uplink *uplink, enum msg_type type, uint64_t session);

/* Wake the monitor, so that it reads what was sent. */
void uplink_ring(struct uplink *uplink);

#endif
