/*
 * Picks the address and port that a client gets for its data connection if there is
 * a NAT between the client and the gateway (section nat of the policy). The worker
 * calls it after it has opened a data port.
 */
#include "policy/advertise.h"

static bool is_for(const struct policy_advertise *entry, const struct ip_addr *client)
{
	for (size_t i = 0; i < entry->nto; i++)
		if (ip_range_contains(&entry->to[i], client))
			return true;
	return entry->nto == 0;
}

struct ip_endpoint policy_advertised(const struct policy *policy, const struct ftp_action *ftp,
				     const struct ip_addr *client, const struct ip_endpoint *own)
{
	const struct policy_nat *nat = &policy->nat;
	const struct port_range *ports = &ftp->passivedataports;
	struct ip_endpoint advertised = *own;
	bool map_ports = nat->advertise_ports.low != 0;

	for (size_t i = 0; i < nat->nadvertise; i++) {
		const struct policy_advertise *entry = &nat->advertise[i];
		const struct ip_addr *addr = own->addr.family == IP_V4 ? &entry->v4 : &entry->v6;

		if (addr->family == IP_NONE || !is_for(entry, client))
			continue;
		advertised.addr = *addr;
		map_ports = map_ports && entry->map_ports;
		break;
	}
	if (map_ports && own->port >= ports->low && own->port <= ports->high)
		advertised.port = (uint16_t)(nat->advertise_ports.low + (own->port - ports->low));
	return advertised;
}
