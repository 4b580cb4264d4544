/*
 * Parses, formats and compares IP addresses, networks and endpoints. The C library
 * converts the text (inet_pton(3)); this file adds networks, ports, and the one
 * spelling of an address: IPv4-mapped IPv6 becomes IPv4.
 */
#include "policy/ip.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define V4_BYTES      4
#define V6_BYTES      16
#define MAPPED_PREFIX 96

/* ::ffff:0:0/96, RFC 4291 2.5.5.2 */
static const uint8_t mapped_prefix[MAPPED_PREFIX / 8] = { [10] = 0xff, [11] = 0xff };

static uint8_t family_bits(enum ip_family family)
{
	return family == IP_V4 ? 8 * V4_BYTES : 8 * V6_BYTES;
}

static bool is_mapped(enum ip_family family, const uint8_t *bytes)
{
	return family == IP_V6 && memcmp(bytes, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

struct ip_addr ip_addr_make(enum ip_family family, const uint8_t *bytes)
{
	struct ip_addr addr = { .family = family };

	if (family == IP_NONE)
		return addr;
	if (is_mapped(family, bytes)) {
		addr.family = IP_V4;
		memcpy(addr.bytes, bytes + sizeof(mapped_prefix), V4_BYTES);
	} else {
		memcpy(addr.bytes, bytes, family_bits(family) / 8);
	}
	return addr;
}

/* Without normalisation: a mapped address stays mapped. */
static int parse_raw(const char *text, size_t len, struct ip_addr *ret_addr)
{
	struct ip_addr addr = { .family = IP_NONE };
	char copy[INET6_ADDRSTRLEN];

	if (len == 0 || len >= sizeof(copy) || memchr(text, '\0', len) != NULL)
		return -EINVAL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET, copy, addr.bytes) == 1)
		addr.family = IP_V4;
	else if (inet_pton(AF_INET6, copy, addr.bytes) == 1)
		addr.family = IP_V6;
	else
		return -EINVAL;
	*ret_addr = addr;
	return 0;
}

int ip_addr_parse(const char *text, size_t len, struct ip_addr *ret_addr)
{
	struct ip_addr raw;
	int r = parse_raw(text, len, &raw);

	if (r < 0)
		return r;
	*ret_addr = ip_addr_make(raw.family, raw.bytes);
	return 0;
}

/* One to three digits without a leading zero; -EINVAL otherwise. */
static int parse_prefix(const char *text, size_t len, uint8_t max)
{
	int value = 0;

	if (len == 0 || len > 3 || (text[0] == '0' && len > 1))
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		value = 10 * value + (text[i] - '0');
	}
	return value <= max ? value : -EINVAL;
}

/* The byte i of a netmask. */
static uint8_t mask_byte(uint8_t prefix, size_t i)
{
	if (prefix >= 8 * (i + 1))
		return 0xff;
	if (prefix <= 8 * i)
		return 0;
	return (uint8_t)(0xff << (8 * (i + 1) - prefix));
}

int ip_net_parse(const char *text, size_t len, struct ip_net *ret_net)
{
	const char *slash = len > 0 ? memchr(text, '/', len) : NULL;
	size_t addr_len = slash != NULL ? (size_t)(slash - text) : len;
	struct ip_addr raw;
	int prefix;
	int r;

	r = parse_raw(text, addr_len, &raw);
	if (r < 0)
		return r;
	prefix = family_bits(raw.family);
	if (slash != NULL)
		prefix = parse_prefix(slash + 1, len - addr_len - 1, (uint8_t)prefix);
	if (prefix < 0)
		return prefix;
	for (size_t i = 0; i < V6_BYTES; i++)
		if ((raw.bytes[i] & (uint8_t)~mask_byte((uint8_t)prefix, i)) != 0)
			return -ERANGE;

	/* A mapped address with a prefix below 96 has host bits and was refused above. */
	if (is_mapped(raw.family, raw.bytes))
		prefix -= MAPPED_PREFIX;
	ret_net->addr = ip_addr_make(raw.family, raw.bytes);
	ret_net->prefix = (uint8_t)prefix;
	return 0;
}

bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool ip_endpoint_equal(const struct ip_endpoint *a, const struct ip_endpoint *b)
{
	return a->port == b->port && ip_addr_equal(&a->addr, &b->addr);
}

bool ip_addr_is_any(const struct ip_addr *addr)
{
	static const uint8_t zero[V6_BYTES];

	return addr->family != IP_NONE && memcmp(addr->bytes, zero, sizeof(zero)) == 0;
}

bool ip_addr_is_loopback(const struct ip_addr *addr)
{
	static const uint8_t v6_loopback[V6_BYTES] = { [15] = 1 };

	switch (addr->family) {
	case IP_NONE:
		return false;
	case IP_V4:
		return addr->bytes[0] == 127;
	case IP_V6:
		return memcmp(addr->bytes, v6_loopback, sizeof(v6_loopback)) == 0;
	}
	return false;
}

const char *ip_addr_format(const struct ip_addr *addr, char buf[static IP_TEXT_MAX])
{
	const char *text = "-";

	if (addr->family != IP_NONE)
		text = inet_ntop(addr->family == IP_V4 ? AF_INET : AF_INET6, addr->bytes, buf, IP_TEXT_MAX);
	assert(text != NULL); /* the family is known and the buffer is large enough */
	if (text != buf)
		(void)snprintf(buf, IP_TEXT_MAX, "%s", text); /* one character */
	return buf;
}

const char *ip_endpoint_format(const struct ip_endpoint *ep, char buf[static IP_TEXT_MAX])
{
	char addr[IP_TEXT_MAX];

	if (ep->addr.family == IP_NONE)
		return ip_addr_format(&ep->addr, buf);
	ip_addr_format(&ep->addr, addr);
	/* The longest address (45) with brackets and a port (53) fits. */
	(void)snprintf(buf, IP_TEXT_MAX, ep->addr.family == IP_V6 ? "[%.45s]:%u" : "%.45s:%u", addr,
		       ep->port);
	return buf;
}
