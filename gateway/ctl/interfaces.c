/*
 * Lists the interfaces through which other hosts reach this one: a packet comes
 * through one of them, to one of its addresses.
 */
#include "gateway/ctl/interfaces.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

static struct ip_addr address_of(const struct sockaddr *from, enum ip_family family)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (family == IP_V6) {
		memcpy(&v6, from, sizeof(v6));
		return ip_addr_make(IP_V6, v6.sin6_addr.s6_addr);
	}
	memcpy(&v4, from, sizeof(v4));
	return ip_addr_make(IP_V4, (const uint8_t *)&v4.sin_addr);
}

/* fe80::/10: clients of other networks cannot dial it. */
static bool is_link_local(const struct ip_addr *addr)
{
	return addr->family == IP_V6 && addr->bytes[0] == 0xfe && (addr->bytes[1] & 0xc0) == 0x80;
}

size_t interfaces_list(enum ip_family family, struct interface_address *items, size_t max)
{
	struct ifaddrs *list = NULL;
	size_t n = 0;

	if (getifaddrs(&list) == -1)
		return 0;
	for (const struct ifaddrs *one = list; one != NULL && n < max; one = one->ifa_next) {
		struct interface_address *item = &items[n];

		if (one->ifa_addr == NULL || (one->ifa_flags & IFF_UP) == 0 ||
		    (one->ifa_flags & IFF_LOOPBACK) != 0 ||
		    one->ifa_addr->sa_family != (family == IP_V6 ? AF_INET6 : AF_INET))
			continue;
		*item = (struct interface_address){ .addr = address_of(one->ifa_addr, family) };
		(void)strncpy(item->name, one->ifa_name, sizeof(item->name) - 1);
		if (!is_link_local(&item->addr))
			n++;
	}
	freeifaddrs(list);
	return n;
}
