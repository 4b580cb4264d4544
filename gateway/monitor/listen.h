/*
 * The sockets that clients dial. They belong to the monitor and outlive
 * policies: a reload keeps those whose address stays.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_LISTEN_H
#define ATTLSD_GATEWAY_MONITOR_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/loop.h"
#include "policy/policy.h"

#define LISTENER_NAME_MAX 33

struct listener {
	struct watch watch;
	char name[LISTENER_NAME_MAX];
	struct ip_endpoint endpoint; /* as the policy has it */
	size_t index;		     /* in the policy */
	void *owner;		     /* for the watch's fn */
};

struct listener_set {
	struct listener *items;
	size_t n;
};

/*
 * Open the sockets of `policy` that `old` (may be empty) has not. On failure
 * the reasons have been printed to stderr with their fix, nothing stays open
 * and a negative errno is returned.
 */
int listener_set_open(struct listener_set *set, const struct policy *policy, const struct listener_set *old,
		      watch_fn *fn, void *owner, const struct diags *diags);

/* Take over from `old` what the two have in common, and close the rest of it. */
void listener_set_replace(struct listener_set *set, struct listener_set *old, struct loop *loop);

/* Ask the loop for connections, or stop asking. */
int listener_set_accept(struct listener_set *set, struct loop *loop, bool on);

/* Say where they are: an event whose fields have their names. */
void listener_set_log(const struct listener_set *set, const char *event);

/* Close what is open. */
void listener_set_close(struct listener_set *set, struct loop *loop);

#endif
