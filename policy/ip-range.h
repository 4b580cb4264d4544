/*
 * Addresses from one to another, as policies and operators write them: an address, a
 * network (10.0.0.0/8) or both ends (10.1.1.5-10.1.1.77).
 */
#ifndef ATTLSD_POLICY_IP_RANGE_H
#define ATTLSD_POLICY_IP_RANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/ip.h"

struct ip_range {
	struct ip_addr low, high; /* of one family; both belong to it */
};

/*
 * Parse one of the three spellings. -ERANGE: a network with host bits set. -EDOM: the ends
 * are in the wrong order or of two families. -EINVAL: none of the three. IPv4-mapped ends
 * are IPv4 addresses. An IPv6 range never holds an IPv4 address, as ::/0 does not.
 */
int ip_range_parse(const char *text, size_t len, struct ip_range *ret_range);

bool ip_range_contains(const struct ip_range *range, const struct ip_addr *addr);

/* Is each address of one of `b` in one of `a`? An empty list stands for every address. */
bool ip_ranges_cover(const struct ip_range *a, size_t na, const struct ip_range *b, size_t nb);

/* Is there an address that is in both lists? An empty list stands for every address. */
bool ip_ranges_meet(const struct ip_range *a, size_t na, const struct ip_range *b, size_t nb);

/* The address after this one. False, and addr as it was: there is none. */
bool ip_addr_next(struct ip_addr *addr);

#endif
