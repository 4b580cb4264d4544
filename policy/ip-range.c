/*
 * Parses and compares ranges of addresses. Bytes in network order compare as numbers, so
 * one pair of comparisons serves both families and every spelling.
 */
#include "policy/ip-range.h"

#include <errno.h>
#include <string.h>

#include "policy/nelem.h"

#define V4_BYTES 4
#define V6_BYTES 16

static size_t bytes_of(const struct ip_addr *addr)
{
	return addr->family == IP_V4 ? V4_BYTES : V6_BYTES;
}

static int compare(const struct ip_addr *a, const struct ip_addr *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/* The last address of a network. */
static struct ip_addr last_of(const struct ip_net *net)
{
	struct ip_addr addr = net->addr;

	for (size_t bit = net->prefix; bit < 8 * bytes_of(&addr); bit++)
		addr.bytes[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
	return addr;
}

int ip_range_parse(const char *text, size_t len, struct ip_range *ret_range)
{
	const char *dash = len > 0 ? memchr(text, '-', len) : NULL;
	struct ip_range range;
	struct ip_net net;
	int r;

	if (dash == NULL) {
		r = ip_net_parse(text, len, &net);
		if (r == 0)
			*ret_range = (struct ip_range){ .low = net.addr, .high = last_of(&net) };
		return r;
	}
	r = ip_addr_parse(text, (size_t)(dash - text), &range.low);
	if (r == 0)
		r = ip_addr_parse(dash + 1, len - (size_t)(dash - text) - 1, &range.high);
	if (r < 0)
		return r;
	if (range.low.family != range.high.family || compare(&range.low, &range.high) > 0)
		return -EDOM;
	*ret_range = range;
	return 0;
}

bool ip_range_contains(const struct ip_range *range, const struct ip_addr *addr)
{
	return addr->family != IP_NONE && range->low.family == addr->family &&
	       compare(&range->low, addr) <= 0 && compare(addr, &range->high) <= 0;
}

bool ip_addr_next(struct ip_addr *addr)
{
	struct ip_addr next = *addr;

	for (size_t i = bytes_of(addr); i-- > 0;)
		if (++next.bytes[i] != 0) {
			*addr = next;
			return true;
		}
	return false;
}

/* Every address, as a list. */
static const struct ip_range any[] = {
	{ .low = { .family = IP_V4 }, .high = { .family = IP_V4, .bytes = { 0xff, 0xff, 0xff, 0xff } } },
	{ .low = { .family = IP_V6 },
	  .high = { .family = IP_V6,
		    .bytes = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			       0xff, 0xff, 0xff } } },
};

/* The range of the list that holds addr and goes on for longest, or NULL. */
static const struct ip_range *find_longest(const struct ip_range *ranges, size_t n,
					   const struct ip_addr *addr)
{
	const struct ip_range *found = NULL;

	for (size_t i = 0; i < n; i++)
		if (ip_range_contains(&ranges[i], addr) &&
		    (found == NULL || compare(&found->high, &ranges[i].high) < 0))
			found = &ranges[i];
	return found;
}

/* Several ranges together may cover one. */
static bool covers(const struct ip_range *ranges, size_t n, const struct ip_range *range)
{
	struct ip_addr addr = range->low;
	const struct ip_range *found;

	do {
		found = find_longest(ranges, n, &addr);
		if (found == NULL)
			return false;
		addr = found->high;
	} while (compare(&addr, &range->high) < 0 && ip_addr_next(&addr));
	return true;
}

bool ip_ranges_cover(const struct ip_range *a, size_t na, const struct ip_range *b, size_t nb)
{
	if (na == 0)
		return true;
	if (nb == 0) {
		b = any;
		nb = NELEM(any);
	}
	for (size_t i = 0; i < nb; i++)
		if (!covers(a, na, &b[i]))
			return false;
	return true;
}

bool ip_ranges_meet(const struct ip_range *a, size_t na, const struct ip_range *b, size_t nb)
{
	if (na == 0 || nb == 0)
		return true;
	for (size_t i = 0; i < na; i++)
		for (size_t j = 0; j < nb; j++)
			if (ip_range_contains(&a[i], &b[j].low) || ip_range_contains(&b[j], &a[i].low))
				return true;
	return false;
}
