/*
 * Recognises a server's address that leads back to a listener of the same policy.
 * The text is checked with it, and names once they are resolved.
 */
#include "policy/own-listener.h"

bool policy_is_own_listener(const struct ip_endpoint *server, bool local,
			    const struct policy_listener *listener)
{
	const struct ip_addr *at = &server->addr;
	const struct ip_addr *own = &listener->endpoint.addr;

	if (listener->endpoint.port == 0 || listener->endpoint.port != server->port ||
	    at->family != own->family)
		return false;
	/* a connection to 0.0.0.0 or :: goes to the loopback address */
	local = local || ip_addr_is_loopback(at) || ip_addr_is_any(at);
	return ip_addr_equal(at, own) || (ip_addr_is_any(own) && local) ||
	       (ip_addr_is_any(at) && ip_addr_is_loopback(own));
}
