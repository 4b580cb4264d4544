/* What is known of one field of a packet, such as `tcp dport` or `meta iifname`. */
#ifndef ATTLSD_GATEWAY_CTL_PACKET_FIELD_H
#define ATTLSD_GATEWAY_CTL_PACKET_FIELD_H

#include "gateway/ctl/packet.h"

struct json_t;

enum packet_kind {
	PACKET_FIELD_UNKNOWN = 0, /* doctor does not know such a field */
	PACKET_FIELD_NONE,	  /* the packet has no such field */
	PACKET_FIELD_ANY,	  /* it depends on the client */
	PACKET_FIELD_NUMBER,
	PACKET_FIELD_PORT,
	PACKET_FIELD_TEXT,
	PACKET_FIELD_INTERFACE,
	PACKET_FIELD_ADDRESS
};

struct packet_field {
	enum packet_kind kind;
	uint32_t low, high; /* numbers and ports; of a text, the number that stands for it (0: none) */
	const char *text;   /* NULL of an interface: one of them, but not lo */
	struct packet_addresses addresses;
};

/* `left` is nft's object for a field, without operators. */
struct packet_field packet_field_get(const struct packet *packet, const struct json_t *left);

/* The name of a field for people. */
const char *packet_field_name(const struct json_t *left);

#endif
