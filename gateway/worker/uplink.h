/*
 * A worker's way to the monitor: messages in order, never blocking, and a
 * doorbell for those that cannot wait.
 */
#ifndef ATTLSD_GATEWAY_WORKER_UPLINK_H
#define ATTLSD_GATEWAY_WORKER_UPLINK_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/loop.h"
#include "gateway/base/msg.h"

struct uplink {
	struct loop *loop;
	struct watch channel;
	int doorbell;	      /* an eventfd of the monitor's */
	unsigned undelivered; /* messages since it was rung */
	struct msg *outbox;   /* what the channel had no room for yet, in order */
	size_t noutbox, outbox_cap;
};

/* Takes both descriptors over. on_channel: the channel can be read, or written (then call uplink_flush()). */
void uplink_init(struct uplink *uplink, struct loop *loop, int channel, int doorbell, watch_fn *on_channel);
void uplink_done(struct uplink *uplink);

/*
 * Send, or keep for later: many sessions may end in one turn, more than the
 * channel holds. Without the monitor nobody counts or restarts the worker, so a
 * lost channel stops the loop.
 */
void uplink_send(struct uplink *uplink, const struct msg *msg);

/* The same for a message that is only about a session. */
void uplink_notify(struct uplink *uplink, enum msg_type type, uint64_t session);

/* There is room in the channel again: send what was kept. */
void uplink_flush(struct uplink *uplink);

#endif
