/*
 * The file that attlsctl connects to: made, guarded and removed. Belongs to the
 * monitor.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_CTL_SOCKET_H
#define ATTLSD_GATEWAY_MONITOR_CTL_SOCKET_H

#include <limits.h>
#include <sys/types.h>
#include <sys/un.h>

#include "policy/policy.h"

struct ctl_socket {
	int fd; /* listening; -1: there is none */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	dev_t dev; /* which file it is, so that nobody else's is removed */
	ino_t ino;
};

#define CTL_SOCKET_NONE ((struct ctl_socket){ .fd = -1 })

/*
 * Make what daemon.control_socket says, for its owner alone (mode 0600). One that
 * an attlsd without an end has left behind is replaced; one that somebody listens
 * on is not. Returns 0, also when there is to be none: the default's folder is
 * missing, say. Where the policy names the path and it cannot be had, a negative
 * errno, and the reason and its fix have been printed to stderr.
 */
int ctl_socket_open(struct ctl_socket *ret, const struct policy_daemon *daemon, const struct diags *source);

/* Is it its file that stands at this path? Somebody may have cleared the folder. */
bool ctl_socket_is_at(const struct ctl_socket *sock, const char *path);

/* Close it and remove its file. */
void ctl_socket_close(struct ctl_socket *sock);

#endif
