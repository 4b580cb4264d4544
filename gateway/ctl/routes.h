/* Asks the kernel about routes and about the addresses of this host. */
#ifndef ATTLSD_GATEWAY_CTL_ROUTES_H
#define ATTLSD_GATEWAY_CTL_ROUTES_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/ip.h"

/*
 * Does the kernel deliver packets to `to` with this firewall mark to this host?
 * Returns 1, 0, or a negative errno if the kernel does not say.
 */
int routes_mark_is_local(const struct ip_addr *to, uint32_t mark);

/* Does this host have this address now? */
bool routes_has_address(const struct ip_addr *addr);

#endif
