/* Plays a packet through the rules of a chain, and of those that it jumps to. */
#ifndef ATTLSD_GATEWAY_CTL_PACKET_RULES_H
#define ATTLSD_GATEWAY_CTL_PACKET_RULES_H

#include "gateway/ctl/packet-match.h"
#include "gateway/ctl/packet-way.h"

#define PACKET_PATH_MAX 32

struct packet_walker {
	const struct ruleset *ruleset;
	struct packet packet;
	struct packet_look look;
	const struct json_t *path[PACKET_PATH_MAX]; /* chains that all packets are sent to, in order */
	size_t npath;
	const struct json_t *shut_by; /* the last rule that stopped the packet for sure */
	const struct json_t *unsure;  /* the first rule that was not understood */
	const struct json_t *chooses; /* the last rule whose result depends on the client */
	enum packet_match arrival;    /* do all packets come here, or only some? */
	int64_t priority;	      /* of the base chain */
	unsigned steps, depth;
	bool lost; /* one of the limits was reached */
};

/* The outcome for a packet that enters this chain. */
struct packet_outcome packet_rules_walk(struct packet_walker *walker, const struct json_t *chain);

#endif
