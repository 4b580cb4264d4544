/*
 * Walks a packet through the chains of a ruleset, hook after hook, and says whether
 * it gets through: for all clients, for some, for none, or that this cannot be told.
 */
#ifndef ATTLSD_GATEWAY_CTL_PACKET_WALK_H
#define ATTLSD_GATEWAY_CTL_PACKET_WALK_H

#include <stddef.h>

#include "gateway/ctl/packet-rules.h"

struct json_t;
struct ruleset;

#define PACKET_BARRIERS_MAX 8

/* What stops a packet: a rule, or the policy of the chain. */
struct packet_barrier {
	const struct json_t *chain;		    /* the base chain */
	const struct json_t *rule;		    /* NULL: its policy */
	const struct json_t *path[PACKET_PATH_MAX]; /* the chains that it was sent to before */
	size_t npath;
};

struct packet_walk {
	struct packet packet; /* as the last chain leaves it */
	enum packet_way way;
	struct packet_barrier barriers[PACKET_BARRIERS_MAX]; /* all base chains that stop it */
	size_t nbarriers;
	/* PACKET_UNSURE: why; PACKET_FEW and PACKET_OPEN_TO_SOME: the rule that lets some in or keeps some
	 * out */
	const struct json_t *rule; /* NULL: too many rules to follow */
	const char *what;	   /* not understood; NULL otherwise */
};

/*
 * Walk through the hooks, a list that ends with NULL ("prerouting", "input"). With
 * more than one port, the result is that of the ports with the worst way, which
 * walk.packet names.
 */
struct packet_walk packet_walk(const struct ruleset *ruleset, const struct packet *packet,
			       const char *const *hooks);

extern const char *const packet_hooks_input[];	    /* to this host */
extern const char *const packet_hooks_forward[];    /* through it */
extern const char *const packet_hooks_prerouting[]; /* before it is known where it goes */
extern const char *const packet_hooks_output[];	    /* from it */

#endif
