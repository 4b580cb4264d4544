/* Makes, guards and removes the socket file that attlsctl connects to. Belongs to the monitor. */
#ifndef ATTLSD_GATEWAY_MONITOR_CTL_SOCKET_H
#define ATTLSD_GATEWAY_MONITOR_CTL_SOCKET_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

#include "gateway/monitor/activated.h"
#include "policy/policy.h"

struct ctl_socket {
	int fd; /* the listening socket; -1: there is none */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	bool activated; /* by the service manager, which keeps it and its file */
	bool shared;	/* with an attlsd that may go on, so the file stays */
	dev_t dev;	/* identify the file, so that no other one is removed */
	ino_t ino;
};

#define CTL_SOCKET_NONE ((struct ctl_socket){ .fd = -1 })

/*
 * Make the socket of daemon.control_socket, for its owner alone (mode 0600), or also for
 * the members of the group gid (0660); NULL: for nobody else. One that the service manager has
 * passed is taken instead. A file that a killed attlsd has left is replaced; one that a process listens on is
 * not. Returns 0, also if there is no socket because only the default path failed (its folder is missing, for
 * example). If the policy names the path and it fails, returns a negative errno after printing the reason and
 * its fix to stderr.
 */
int ctl_socket_open(struct ctl_socket *ret, const struct activated *activated,
		    const struct policy_daemon *daemon, const unsigned *gid, const struct diags *source);

/* The same for a socket that is there. If it fails, the log says so, and only the owner may connect. */
void ctl_socket_change_group(const struct ctl_socket *sock, const unsigned *gid);

#define CTL_SOCKET_REASON_MAX 320

/*
 * Make a socket file of this type, with the same care. Returns 0, or a
 * negative errno and what the operator can do about it.
 */
int ctl_socket_listen(struct ctl_socket *ret, const struct activated *activated, const char *path, int type,
		      const unsigned *gid, char ret_reason[static CTL_SOCKET_REASON_MAX]);

/* Is the file at this path still ours? It may have been removed. */
bool ctl_socket_is_at(const struct ctl_socket *sock, const char *path);

/* Close the socket and remove its file, unless the service manager has made it. */
void ctl_socket_close(struct ctl_socket *sock);

/* Close the socket, of which another process has a copy. */
void ctl_socket_leave(struct ctl_socket *sock);

#endif
