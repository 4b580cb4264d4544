/* The network interfaces of this host and their addresses, without loopback. */
#ifndef ATTLSD_GATEWAY_CTL_INTERFACES_H
#define ATTLSD_GATEWAY_CTL_INTERFACES_H

#include <stddef.h>

#include "policy/ip.h"

#define INTERFACE_NAME_MAX 16

struct interface_address {
	char name[INTERFACE_NAME_MAX];
	struct ip_addr addr;
};

/* Write up to `max` addresses of this family on interfaces that are up. Returns how many. */
size_t interfaces_list(enum ip_family family, struct interface_address *items, size_t max);

#endif
