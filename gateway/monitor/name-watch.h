/*
 * Looks the names of the policy in force up again when their time is over, and says when
 * one has another address.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_NAME_WATCH_H
#define ATTLSD_GATEWAY_MONITOR_NAME_WATCH_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/loop.h"
#include "gateway/monitor/policy-load.h"
#include "policy/policy.h"

struct name_watch;

/*
 * Addresses have changed, and the log says which. `loaded` is the policy in force with the
 * new ones (no users), the callee's. Its text is the one given to name_watch_follow().
 */
typedef void name_watch_fn(struct name_watch *watch, struct policy_loaded *loaded);

struct name_watch {
	struct loop *loop;
	name_watch_fn *fn;
	struct policy_load load;
	struct timer timer;	     /* until the next look-up */
	const struct policy *policy; /* in force */
	const char *text;	     /* its text */
	size_t len;
	uint64_t changed_ms; /* the last change; 0: none */
};

void name_watch_init(struct name_watch *watch, struct loop *loop, const char *path, name_watch_fn *fn);

/*
 * A policy is in force; it and its text live until the next call or name_watch_stop().
 * good_s: as in struct policy_loaded.
 */
void name_watch_follow(struct name_watch *watch, const struct policy *policy, const char *text, size_t len,
		       uint32_t good_s);

void name_watch_stop(struct name_watch *watch);

#endif
