/*
 * The header of the PROXY protocol, versions 1 and 2: a load balancer's facts
 * about the connection that it passes on. Pure: no socket, no session.
 */
#ifndef ATTLSD_GATEWAY_NET_PROXY_HEADER_H
#define ATTLSD_GATEWAY_NET_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/ip.h"

/* The longest header that is taken or made: more TLVs than one connection can need. */
#define PROXY_HEADER_MAX 2048
#define PROXY_V1_MAX	 107 /* with its CRLF */

enum proxy_parse {
	PROXY_PARSE_MORE = 0, /* these bytes begin a header that is not complete */
	PROXY_PARSE_OK,
	PROXY_PARSE_BAD,
};

struct proxy_header {
	size_t consumed; /* its length; what follows belongs to the connection */
	bool own;	 /* LOCAL or UNKNOWN: it has no addresses, use the connection's own */
	struct ip_endpoint source, destination; /* of one family; none when `own` */
};

/*
 * Look at the first bytes of a connection. PROXY_PARSE_OK sets *ret;
 * PROXY_PARSE_BAD sets *ret_fault to what is wrong, a static text for the log.
 * PROXY_PARSE_MORE comes for less than PROXY_HEADER_MAX bytes only.
 */
enum proxy_parse proxy_header_parse(const uint8_t *bytes, size_t len, struct proxy_header *ret,
				    const char **ret_fault);

/* The facts about TLS that version 2 can carry. A missing text is NULL. */
struct proxy_facts {
	const char *authority; /* the server name that the client asked for (SNI) */
	const char *alpn;
	const char *tls; /* its version, "TLSv1.3"; NULL: the client is in the clear */
	const char *cipher;
	bool certificate; /* the client has shown one */
	bool verified;	  /* and it was checked */
	const char *common_name;
};

/*
 * Make a header. Where source and destination differ in family the
 * header is UNKNOWN, since it cannot hold both. A text that has no room in the
 * header is left out. Returns the length.
 */
size_t proxy_header_v1(const struct ip_endpoint *source, const struct ip_endpoint *destination,
		       uint8_t buf[static PROXY_HEADER_MAX]);
size_t proxy_header_v2(const struct ip_endpoint *source, const struct ip_endpoint *destination,
		       const struct proxy_facts *facts, uint8_t buf[static PROXY_HEADER_MAX]);

#endif
