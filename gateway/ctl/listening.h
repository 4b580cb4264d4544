/* Which programs listen on ports of this host? */
#ifndef ATTLSD_GATEWAY_CTL_LISTENING_H
#define ATTLSD_GATEWAY_CTL_LISTENING_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/ip.h"

#define LISTENING_NAME_MAX 64

/* A socket that listens. */
struct listening {
	struct ip_endpoint at;
	uint64_t inode;
};

/*
 * Call `fn` for each socket of this network namespace that listens for TCP, until it
 * returns false. Returns 0 or a negative errno: the list cannot be read.
 */
int listening_each(bool (*fn)(const struct listening *socket, void *context), void *context);

/*
 * The program that has this socket: "vsftpd (pid 123)". Returns false if it cannot be
 * seen, such as one of another user. A service's socket that systemd has as well is the service's.
 */
bool listening_owner(uint64_t inode, char ret_name[static LISTENING_NAME_MAX]);

#endif
