/*
 * Joins the ways that a packet may take through a chain. An outcome is a table: where
 * the packet ends up, for each way that the end of the chain may lead.
 */
#include "gateway/ctl/packet-way.h"

const struct packet_outcome packet_accepts = { .to = { PACKET_OPEN, PACKET_OPEN, PACKET_OPEN, PACKET_OPEN,
						       PACKET_OPEN } };
const struct packet_outcome packet_stops = { .to = { PACKET_SHUT } };
const struct packet_outcome packet_unclear = { .to = { PACKET_UNSURE, PACKET_UNSURE, PACKET_UNSURE,
						       PACKET_UNSURE, PACKET_UNSURE } };
const struct packet_outcome packet_falls = { .to = { PACKET_SHUT, PACKET_UNSURE, PACKET_FEW,
						     PACKET_OPEN_TO_SOME, PACKET_OPEN } };

bool packet_is_final(const struct packet_outcome *outcome)
{
	for (size_t i = 1; i < PACKET_WAYS; i++)
		if (outcome->to[i] != outcome->to[0])
			return false;
	return true;
}

struct packet_outcome packet_then(const struct packet_outcome *first, const struct packet_outcome *rest)
{
	struct packet_outcome joined = { .names_port = first->names_port || rest->names_port };

	for (size_t i = 0; i < PACKET_WAYS; i++)
		joined.to[i] = first->to[rest->to[i]];
	return joined;
}

/* Some packets go one way and others the other. */
static enum packet_way split_way(enum packet_way taken, enum packet_way rest, bool names_port)
{
	if (taken == rest)
		return taken;
	if (rest >= PACKET_OPEN_TO_SOME)
		return PACKET_OPEN_TO_SOME;
	if (taken >= PACKET_OPEN_TO_SOME)
		return names_port ? PACKET_OPEN_TO_SOME : PACKET_FEW;
	return taken > rest ? taken : rest;
}

/* All packets go one way or the other, and nobody knows which. */
static enum packet_way unknown_way(enum packet_way taken, enum packet_way rest)
{
	if (taken == rest)
		return taken;
	return taken >= PACKET_OPEN_TO_SOME && rest >= PACKET_OPEN_TO_SOME ? PACKET_OPEN_TO_SOME
									   : PACKET_UNSURE;
}

struct packet_outcome packet_join(enum packet_match met, bool names_port, const struct packet_outcome *taken,
				  const struct packet_outcome *rest)
{
	struct packet_outcome joined = { .names_port = taken->names_port || rest->names_port };

	for (size_t i = 0; i < PACKET_WAYS; i++)
		joined.to[i] = met == PACKET_SOME
				   ? split_way(taken->to[i], rest->to[i], names_port || taken->names_port)
				   : unknown_way(taken->to[i], rest->to[i]);
	return joined;
}
