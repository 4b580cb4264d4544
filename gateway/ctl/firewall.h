/*
 * Asks the firewall of this host whether a connection of clients gets through, on the
 * interfaces where they can come from.
 */
#ifndef ATTLSD_GATEWAY_CTL_FIREWALL_H
#define ATTLSD_GATEWAY_CTL_FIREWALL_H

#include "gateway/ctl/packet-walk.h"

struct doctor;

/* Set the fix: how to let in what `barrier` stops, in the terms of the program that made the rule. */
void firewall_fix_port(struct doctor *doctor, const struct packet_barrier *barrier, uint16_t low,
		       uint16_t high);
void firewall_fix_related(struct doctor *doctor, const struct packet_barrier *barrier);

/* May rules be added to this chain with nft? If not, another program keeps it. */
bool firewall_is_plain(const struct doctor *doctor, const struct packet_barrier *barrier);

/* What stops a packet, for people: "rule 12 in chain inet filter input" or "the policy of chain ...". */
const char *firewall_describe(const struct packet_barrier *barrier, char *buf, size_t size);

/* Set what to look at, and report that the answer to `question` ("is port 21 open?") cannot be told. */
void firewall_cannot_tell(struct doctor *doctor, const struct packet_walk *walk, const char *question);

/*
 * Walk `packet` to `to` (IP_NONE: any address of this host) through these hooks, on
 * each interface where it can arrive. Returns the best of them.
 */
struct packet_walk firewall_ask(const struct doctor *doctor, const struct packet *packet,
				const struct ip_addr *to, const char *const *hooks);

#endif
