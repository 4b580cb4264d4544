/* Does a packet meet a condition of a rule? */
#ifndef ATTLSD_GATEWAY_CTL_PACKET_MATCH_H
#define ATTLSD_GATEWAY_CTL_PACKET_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/ctl/packet.h"

struct json_t;
struct ruleset;

/* A look at one packet. Asking changes the last two members only. */
struct packet_look {
	const struct packet *packet;
	const struct ruleset *ruleset;
	uint16_t split; /* not 0: ports below it meet another answer than this one; ask again for each part */
	const char *what; /* the first thing that was not understood; NULL: nothing */
};

/* Does the packet meet `match` (nft's object with op, left and right) of this rule? */
enum packet_match packet_meets(struct packet_look *look, const struct json_t *rule,
			       const struct json_t *match);

/* Is the field `left` of the packet equal to `right`, or in it? */
enum packet_match packet_is(struct packet_look *look, const struct json_t *rule, const struct json_t *left,
			    const struct json_t *right);

/*
 * The destination addresses that a rule has a condition for, at most `max`. Returns how
 * many; 0: there is no such condition, or one of another form.
 */
size_t packet_addresses_of(const struct ruleset *ruleset, const struct json_t *rule, enum ip_family family,
			   struct packet_addresses *ret, size_t max);

/* Is the destination port part of the field `left`? */
bool packet_names_port(const struct json_t *left);

#endif
