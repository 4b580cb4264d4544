/* A socket of daemon.http or daemon.agent. Belongs to the monitor, and outlives the processes that accept
 * from it. */
#ifndef ATTLSD_GATEWAY_MONITOR_HTTP_LISTEN_H
#define ATTLSD_GATEWAY_MONITOR_HTTP_LISTEN_H

#include <stdbool.h>

#include "gateway/monitor/ctl-socket.h"
#include "policy/policy.h"

struct http_listen {
	int fd;			     /* -1: there is none */
	bool activated;		     /* by the service manager */
	struct ip_endpoint endpoint; /* addr.family IP_NONE: a UNIX socket, whose fd is in `sock` */
	struct ctl_socket sock;
};

#define HTTP_LISTEN_NONE ((struct http_listen){ .fd = -1, .sock = CTL_SOCKET_NONE })

/* Where a policy wants one: at a path, or at an endpoint. */
struct http_place {
	const char *key; /* of the policy, for messages */
	const char *path;
	const struct ip_endpoint *endpoint; /* addr.family IP_NONE, and path NULL: nowhere */
	struct diag_mark mark;
};

/*
 * Open the socket of this place, if it is one and `old` (the one in use) is not at the same
 * place. Returns 1: `old` stays; 0: `ret` is new, and may be none; or a negative errno after
 * logging the fault with its place in the policy.
 */
int http_listen_open(struct http_listen *ret, const struct http_listen *old,
		     const struct activated *activated, const struct http_place *place,
		     const struct diags *source);

/* The address that it really has, for people: the kernel may have chosen the port. */
const char *http_listen_text(const struct http_listen *listen, char buf[static IP_TEXT_MAX]);

/* Close it, of which another process has a copy. */
void http_listen_leave(struct http_listen *listen);

void http_listen_close(struct http_listen *listen);

#endif
