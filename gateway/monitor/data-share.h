/*
 * passivedatashare: source. Workers ask for plans, connections come to shared ports,
 * and this brings them together: it judges what a worker asks for, and passes each
 * connection to the worker of the plan that it was made for.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_DATA_SHARE_H
#define ATTLSD_GATEWAY_MONITOR_DATA_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/msg.h"
#include "gateway/monitor/admission.h"
#include "gateway/monitor/children.h"
#include "gateway/monitor/data-plans.h"
#include "gateway/monitor/shared-ports.h"

struct data_delivery;

struct data_share {
	struct loop *loop;
	const struct children *children;
	struct shared_ports ports;
	struct data_plans plans;
	struct data_delivery *deliveries; /* messages whose worker has no room for them yet */
	struct timer retry;
	bool stopping; /* a port closes when nobody waits there any more */
	/* An upgrade, see share-link.h. */
	bool has_older; /* attlsds that may want inherited ports */
	void (*to_older)(void *older, const struct msg *msg, int fd); /* for plans of their sessions */
	int newest; /* the link with the attlsd that has the ports now; -1: this one has them */
	int (*to_newest)(int newest, enum msg_type type, const struct plan_ask *ask);
	struct {
		uint64_t second;
		uint32_t n;	   /* in this second */
		uint64_t unlisted; /* without a line of their own, since the last one that has one */
	} strangers;
};

void data_share_init(struct data_share *share, struct loop *loop, const struct children *children);
void data_share_done(struct data_share *share);

/*
 * Carry out a worker's request about a plan of its session. Returns NULL, or a reason to
 * kill the worker.
 */
const char *data_share_request(struct data_share *share, struct child *child,
			       const struct admission_facts *facts, const struct msg *msg);

/* Send a message to the owner of a plan, with *fd, which is closed here; -1: none. */
void data_share_deliver(struct data_share *share, const struct plan_ask *ask, const struct msg *msg, int *fd);

/* A session is over. */
void data_share_session_end(struct data_share *share, uint64_t session);

/* A worker has died, and its sessions are over. */
void data_share_forget_worker(struct data_share *share, const struct child *child);

/* Close the ports that the policy of no generation wants any more. */
void data_share_settle(struct data_share *share);

/* attlsd ends: close the ports, now or as soon as nobody waits there. */
void data_share_stop(struct data_share *share, bool now);

#endif
