/*
 * Ways of a packet, and how those of several rules join to one: some clients go one
 * way and others another, or nobody knows which way a packet goes.
 */
#ifndef ATTLSD_GATEWAY_CTL_PACKET_WAY_H
#define ATTLSD_GATEWAY_CTL_PACKET_WAY_H

#include "gateway/ctl/packet.h"

/* Worst first; the way through several chains is the worst of them. */
enum packet_way {
	PACKET_SHUT = 0,
	PACKET_UNSURE, /* it depends on something that is not understood */
	PACKET_FEW,    /* open to some clients, by rules that do not name the port */
	PACKET_OPEN_TO_SOME,
	PACKET_OPEN
};

#define PACKET_WAYS (PACKET_OPEN + 1)

/* Where a packet ends up, by the way that the end of the chain leads. */
struct packet_outcome {
	enum packet_way to[PACKET_WAYS];
	bool names_port; /* what lets it in has named the port */
};

extern const struct packet_outcome packet_accepts, packet_stops, packet_unclear;
extern const struct packet_outcome packet_falls; /* off the end of the chain */

/* Does every packet end in the chain? */
bool packet_is_final(const struct packet_outcome *outcome);

/* What comes after a chain from which the packet may return. */
struct packet_outcome packet_then(const struct packet_outcome *first, const struct packet_outcome *rest);

/* A rule with the outcome `taken` that a packet may meet (PACKET_SOME or PACKET_UNKNOWN), and the rest. */
struct packet_outcome packet_join(enum packet_match met, bool names_port, const struct packet_outcome *taken,
				  const struct packet_outcome *rest);

#endif
