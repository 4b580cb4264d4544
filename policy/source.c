/*
 * Picks the gateway's own address toward a server, of those that policy gives or that
 * an interface has. A server of another family is not dialled from any other address.
 */
#include "policy/source.h"

#include <errno.h>

int policy_source_find(const struct policy_backend *backend, enum ip_family family, struct ip_addr *ret)
{
	*ret = (struct ip_addr){ .family = IP_NONE };
	if (backend->source != BACKEND_SOURCE_ADDRESS)
		return 0;
	*ret = family == IP_V4 ? backend->source_v4 : backend->source_v6;
	return ret->family == IP_NONE ? -EADDRNOTAVAIL : 0;
}
