/*
 * Looks the names of the policy in force up again when their time is over, and says when
 * one has another address.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_NAME_WATCH_H
#define ATTLSD_GATEWAY_MONITOR_NAME_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/loop.h"
#include "gateway/monitor/children.h"
#include "gateway/monitor/policy-load.h"

struct name_watch;

/*
 * Addresses have changed, and the log says which. `loaded` is the policy in force with the
 * new ones (no users), the callee's.
 */
typedef void name_watch_fn(struct name_watch *watch, struct policy_loaded *loaded);

struct name_watch {
	struct loop *loop;
	name_watch_fn *fn;
	struct policy_load load;
	struct timer timer;		  /* until the next look-up */
	const struct generation *current; /* that serves */
	uint64_t changed_ms;		  /* the last change; 0: none */
	bool full;			  /* a change waits for sessions to end */
};

void name_watch_init(struct name_watch *watch, struct loop *loop, const char *path, name_watch_fn *fn);

/* Keep with a generation what is needed to look its names up again. */
void name_watch_remember(struct generation *generation, const struct policy_loaded *loaded);

/* A generation serves; it lives until the next call or name_watch_stop(). */
void name_watch_follow(struct name_watch *watch, const struct generation *generation);

void name_watch_stop(struct name_watch *watch);

#endif
