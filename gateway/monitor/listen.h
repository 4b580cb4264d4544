/*
 * The sockets that clients connect to. They belong to the monitor and outlive
 * policies: a reload keeps those whose address stays.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_LISTEN_H
#define ATTLSD_GATEWAY_MONITOR_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/loop.h"
#include "gateway/monitor/activated.h"
#include "policy/policy.h"

#define LISTENER_NAME_MAX 33

struct listener {
	struct watch watch;
	char name[LISTENER_NAME_MAX];
	struct ip_endpoint endpoint; /* as the policy has it */
	size_t index;		     /* in the policy */
	void *owner;		     /* for the watch's fn */
	bool activated;		     /* by the service manager, which keeps it */
};

struct listener_set {
	struct listener *items;
	size_t n;
};

/*
 * Open the sockets of `policy` that `old` (may be empty) does not have, or take those that the
 * service manager has passed. On failure it prints the reasons and their fixes to stderr, leaves nothing open
 * and returns a negative errno.
 */
int listener_set_open(struct listener_set *set, const struct policy *policy, const struct listener_set *old,
		      const struct activated *activated, watch_fn *fn, void *owner,
		      const struct diags *diags);

/*
 * Put a socket of another process into a set with room for it, which becomes the `old` of
 * listener_set_open(). Its endpoint is what the policy has to say.
 */
int listener_set_reserve(struct listener_set *set, size_t n);
void listener_set_adopt(struct listener_set *set, const char *name, const struct ip_endpoint *endpoint,
			int fd, bool activated);

/* Take over the sockets that both have from `old`, and close the others of `old`. */
void listener_set_replace(struct listener_set *set, struct listener_set *old, struct loop *loop);

/* Start or stop accepting connections. */
int listener_set_accept(struct listener_set *set, struct loop *loop, bool on);

/* Log the addresses: an event with the hash of the policy, and a field for each listener. */
void listener_set_log(const struct listener_set *set, const char *event, const char *policy_sha256);

/* Close all sockets. */
void listener_set_close(struct listener_set *set, struct loop *loop);

#endif
