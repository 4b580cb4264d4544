/*
 * IP addresses, endpoints and networks as plain values: parse, format, compare.
 *
 * No socket header is needed to use them, so the leaves (policy/, ftp-alg/)
 * stay free of I/O. An IPv4-mapped IPv6 address (::ffff:a.b.c.d, RFC 4291
 * 2.5.5.2) is always stored as the IPv4 address that it stands for: each
 * address has one spelling, and comparing two addresses is comparing bytes.
 */
#ifndef ATTLSD_POLICY_IP_H
#define ATTLSD_POLICY_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ip_family {
	IP_NONE = 0, /* no address: the zero value */
	IP_V4 = 4,
	IP_V6 = 6,
};

struct ip_addr {
	enum ip_family family;
	uint8_t bytes[16]; /* network order; IPv4 uses the first four, the rest is zero */
};

struct ip_endpoint {
	struct ip_addr addr;
	uint16_t port; /* host order */
};

struct ip_net {
	struct ip_addr addr; /* bits after the prefix are zero */
	uint8_t prefix;	     /* 0..32 or 0..128 */
};

/* Ports below are those of services, and binding one takes a privilege. */
#define IP_PORT_LOW_LIMIT 1024

/* Room for any formatted value of this file, with its NUL. */
#define IP_TEXT_MAX 64

/*
 * Parse an address of either family ("192.0.2.1", "2001:db8::1", no brackets,
 * no zone). text need not be terminated. Returns 0, or -EINVAL and leaves
 * *ret_addr alone. Mapped addresses are normalised.
 */
int ip_addr_parse(const char *text, size_t len, struct ip_addr *ret_addr);

/*
 * Parse "address" or "address/prefix"; host bits after the prefix are
 * -ERANGE, any other fault is -EINVAL.
 */
int ip_net_parse(const char *text, size_t len, struct ip_net *ret_net);

/* Build from raw network-order bytes: 4 for IP_V4, 16 for IP_V6; normalises mapped addresses. */
struct ip_addr ip_addr_make(enum ip_family family, const uint8_t *bytes);

bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b);
bool ip_endpoint_equal(const struct ip_endpoint *a, const struct ip_endpoint *b);

/* 0.0.0.0 or ::, which as a listening address means every address of the host. */
bool ip_addr_is_any(const struct ip_addr *addr);
bool ip_addr_is_loopback(const struct ip_addr *addr);

/*
 * Format into buf (at least IP_TEXT_MAX bytes) and return buf.
 * An endpoint is "192.0.2.1:21" or "[2001:db8::1]:21"; IP_NONE is "-".
 */
const char *ip_addr_format(const struct ip_addr *addr, char buf[static IP_TEXT_MAX]);
const char *ip_endpoint_format(const struct ip_endpoint *ep, char buf[static IP_TEXT_MAX]);

#endif
