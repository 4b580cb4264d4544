/*
 * A packet that opens a connection, as the rules of a firewall see it. Types only:
 * the functions are in the packet-*.c files.
 */
#ifndef ATTLSD_GATEWAY_CTL_PACKET_H
#define ATTLSD_GATEWAY_CTL_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/ip.h"

struct json_t;

/* Does it meet a condition? In this order, all of several are met as much as the smallest is. */
enum packet_match {
	PACKET_NO = 0,
	PACKET_UNKNOWN, /* not understood */
	PACKET_SOME,	/* some clients' packets do: it depends on their address, for example */
	PACKET_YES
};

/* All addresses from one to another, both included. */
struct packet_addresses {
	struct ip_addr low, high;
};

struct packet {
	enum ip_family family;
	const char *from, *to;	      /* interfaces; NULL: unknown, but not lo */
	struct packet_addresses dest; /* low.family IP_NONE: unknown */
	uint16_t low, high;	      /* it goes to one of these ports; low 0: unknown */
	uint16_t source;	      /* its source port; 0: unknown */
	bool related;		      /* conntrack expects it, for the helper ftp */
	bool transparent;	      /* a transparent socket waits for it */
	bool forwarded;		      /* to another host */
	const char *set; /* attlsd has announced it in this set ("family table name"); NULL: none */
	/* what rules have done to it */
	enum packet_match helper;	   /* it has the helper ftp */
	enum packet_match untracked;	   /* conntrack leaves it alone */
	const struct json_t *untracked_by; /* the rule that says so */
	enum packet_match translated;	   /* NAT has changed where it goes */
	enum packet_match diverted;	   /* a tproxy rule has passed it to a socket of this host */
	const struct json_t *diverted_by;  /* that rule */
	bool mark_unknown, ct_mark_unknown;
	uint32_t mark;
};

#endif
