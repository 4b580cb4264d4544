/*
 * Asks the monitor, and gathers the answers of all processes while other requests are served.
 * Whoever asks the same before the question has left shares its answers.
 */
#ifndef ATTLSD_GATEWAY_HTTP_ASKER_H
#define ATTLSD_GATEWAY_HTTP_ASKER_H

#include <stdint.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/base/loop.h"
#include "gateway/view/client-answers.h"
#include "gateway/view/metrics.h"

struct question;
struct asker_wait;

/* What has come, for the time of the call. One of the two, by the question; or nothing. */
struct asker_result {
	const struct answers *answers;
	const struct metrics *metrics; /* CTL_METRICS */
};

typedef void asker_fn(struct asker_wait *wait, const struct asker_result *result);

/* One who waits. Embedded in its owner, and the owner's until fn is called. */
struct asker_wait {
	asker_fn *fn;
	struct asker_wait *next, *prev;
};

struct asker {
	struct loop *loop;
	struct watch orders; /* sockets with answers come here */
	int pipe;	     /* questions go there */
	uint64_t number;     /* of the last question */
	struct question *questions;
	unsigned running;		     /* how many of them have left */
	void (*on_end)(struct asker *asker); /* the monitor has hung up */
};

/* The descriptors stay the caller's. Returns 0 or a negative errno. */
int asker_init(struct asker *asker, struct loop *loop, int orders, int pipe,
	       void (*on_end)(struct asker *asker));

/* Ask; wait->fn is called later, never from in here. Returns 0 or a negative errno. */
int asker_ask(struct asker *asker, enum ctl_proto_what what, const struct session_filter *filter,
	      struct asker_wait *wait);

#endif
