/*
 * Asking the kernel how it would route, and other small questions about the
 * addresses of this host.
 */
#ifndef ATTLSD_GATEWAY_CTL_ROUTES_H
#define ATTLSD_GATEWAY_CTL_ROUTES_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/ip.h"

/*
 * Are packets to `to` with this firewall mark for the host itself? Returns 1,
 * 0, or a negative errno when the kernel does not say.
 */
int routes_mark_is_local(const struct ip_addr *to, uint32_t mark);

/* Has the host this address now? */
bool routes_has_address(const struct ip_addr *addr);

#endif
