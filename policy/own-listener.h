/* Would attlsd connect to itself? */
#ifndef ATTLSD_POLICY_OWN_LISTENER_H
#define ATTLSD_POLICY_OWN_LISTENER_H

#include <stdbool.h>

#include "policy/types.h"

/*
 * Does a connection to `server` arrive at the listener? `local`: the address is one of
 * this host's (loopback addresses are in any case).
 */
bool policy_is_own_listener(const struct ip_endpoint *server, bool local,
			    const struct policy_listener *listener);

#endif
