/* Asks the kernel about routes. */
#ifndef ATTLSD_GATEWAY_CTL_ROUTES_H
#define ATTLSD_GATEWAY_CTL_ROUTES_H

#include <stdint.h>

#include "policy/ip.h"

/*
 * Does the kernel deliver packets to `to` with this firewall mark to this host? Without
 * a mark (0), those are the addresses that this host has.
 * Returns 1, 0, or a negative errno if the kernel does not say.
 */
int routes_mark_is_local(const struct ip_addr *to, uint32_t mark);

#endif
