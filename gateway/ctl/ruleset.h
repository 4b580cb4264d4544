/*
 * Searches the nftables rules of this host for a port or a listener. It looks at
 * rules one by one, ignores conditions other than ports (interfaces, addresses) and
 * does not follow jumps. So "found" means that the administrator has thought of it,
 * "not found" that there is nothing.
 */
#ifndef ATTLSD_GATEWAY_CTL_RULESET_H
#define ATTLSD_GATEWAY_CTL_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/ip.h"

#define RULESET_NAME_MAX   128
#define RULESET_RANGES_MAX 32

struct ruleset;

/* The destination ports of a rule. */
struct ruleset_ports {
	bool any; /* the rule has no condition on ports */
	struct {
		uint16_t low, high;
	} ranges[RULESET_RANGES_MAX];
	size_t n;
};

struct ruleset_tproxy {
	struct ruleset_ports dialled;
	char addr[IP_TEXT_MAX]; /* "": the interface's */
	bool marks;
	uint32_t mark;
};

struct ruleset_set {
	bool found, right_type, timeout, used;
};

/* Returns 0, -EPERM, or -EIO if nft fails for another reason. */
int ruleset_load(struct ruleset **ret_ruleset);
void ruleset_free(struct ruleset **ruleset);

bool ruleset_ports_have(const struct ruleset_ports *ports, uint16_t port);

/* Does a rule assign the helper "ftp" to connections to this port? */
bool ruleset_assigns_helper(const struct ruleset *ruleset, enum ip_family family, uint16_t port);

/* Find a rule that passes connections to this port of the host by TPROXY. */
bool ruleset_find_tproxy(const struct ruleset *ruleset, enum ip_family family, uint16_t port,
			 struct ruleset_tproxy *ret);

/* Find a rule `socket transparent 1 meta mark set ...`; *ret_marks: it sets the mark itself. */
bool ruleset_find_socket(const struct ruleset *ruleset, enum ip_family family, bool *ret_marks,
			 uint32_t *ret_mark);

/* Find an input chain with policy drop. ret_name: "family table chain". */
bool ruleset_drops_input(const struct ruleset *ruleset, enum ip_family family,
			 char ret_name[static RULESET_NAME_MAX]);

/* Does a rule accept related connections, or packets to this port? */
bool ruleset_accepts_related(const struct ruleset *ruleset, enum ip_family family);
bool ruleset_accepts_port(const struct ruleset *ruleset, enum ip_family family, uint16_t port);

/* Does a rule change the destination of packets to this port, or redirect packets to it? */
bool ruleset_translates(const struct ruleset *ruleset, enum ip_family family, uint16_t port);

/* Find the set `name` ("family table set"; for IPv6 with a 6 at the end). */
void ruleset_find_set(const struct ruleset *ruleset, const char *name, enum ip_family family,
		      struct ruleset_set *ret);

#endif
