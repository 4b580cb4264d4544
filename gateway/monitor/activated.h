/*
 * The listening sockets that a service manager has passed (socket activation). They outlive
 * policies: a reload may bring a listener for one that nobody has used so far. Belongs to the monitor.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_ACTIVATED_H
#define ATTLSD_GATEWAY_MONITOR_ACTIVATED_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/host/inherited.h"
#include "policy/policy.h"

#define ACTIVATED_PATH_MAX 108

struct activated_socket {
	int fd;
	char name[INHERITED_NAME_MAX]; /* FileDescriptorName= of the unit; "": it has none */
	int type;		       /* SOCK_STREAM and the like */
	struct ip_endpoint endpoint;   /* addr.family IP_NONE: it is a UNIX socket, or unfit */
	char path[ACTIVATED_PATH_MAX]; /* of a UNIX socket; "" */
	const char *unfit;	       /* why nothing can use it; NULL: something can */
	const char *fix;	       /* for that */
};

struct activated {
	struct activated_socket *items;
	size_t n;
};

/* Take over the descriptors that this process was started with. Returns 0 or -ENOMEM. */
int activated_open(struct activated *set, const struct inherited *inherited);

/* The same for those of another attlsd, one at a time: room for them, then each. */
int activated_reserve(struct activated *set, size_t n);
void activated_adopt(struct activated *set, int fd, const char *name);

#define ACTIVATED_REASON_MAX 320

/*
 * A copy of the socket for this endpoint, ready to be accepted from. Returns a descriptor, -ENOENT: there is
 * none; or another negative errno: there is one, but it does not fit, for this reason.
 */
int activated_take(const struct activated *set, const struct ip_endpoint *endpoint, bool transparent,
		   char ret_reason[static ACTIVATED_REASON_MAX]);

/* The same for a UNIX socket of this type, whose file must not be open to others than `gid` allows. */
int activated_take_path(const struct activated *set, const char *path, int type, const unsigned *gid,
			char ret_reason[static ACTIVATED_REASON_MAX]);

/*
 * Binding this endpoint has failed: is that because of a socket in the set? Returns false, or true
 * and what to change.
 */
bool activated_explain(const struct activated *set, const struct ip_endpoint *endpoint,
		       char ret_reason[static ACTIVATED_REASON_MAX]);

/* Log each socket that this policy has no use for: clients that connect there would wait for ever. */
void activated_report(const struct activated *set, const struct policy *policy);

void activated_close(struct activated *set);

#endif
