/*
 * What the nftables rules of this host say about a port or a listener. Rules
 * are read one by one: what a rule asks for besides ports (interfaces,
 * addresses) is not looked at, and jumps are not followed. So "found" means that
 * somebody has thought of it, "not found" that nothing is there.
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

/* Destination ports that a rule is for. */
struct ruleset_ports {
	bool any; /* it does not ask for a port */
	struct {
		uint16_t low, high;
	} ranges[RULESET_RANGES_MAX];
	size_t n;
};

struct ruleset_tproxy {
	struct ruleset_ports dialled;
	char addr[IP_TEXT_MAX]; /* "": that of the interface */
	bool marks;
	uint32_t mark;
};

struct ruleset_set {
	bool found, right_type, timeout, used;
};

/* Returns 0, -EPERM, or -EIO for all other reasons why nft does not tell. */
int ruleset_load(struct ruleset **ret_ruleset);
void ruleset_free(struct ruleset **ruleset);

bool ruleset_ports_have(const struct ruleset_ports *ports, uint16_t port);

/* Is the helper "ftp" assigned to connections to this port? */
bool ruleset_assigns_helper(const struct ruleset *ruleset, enum ip_family family, uint16_t port);

/* A rule that hands connections to this port of the host over by TPROXY. */
bool ruleset_find_tproxy(const struct ruleset *ruleset, enum ip_family family, uint16_t port,
			 struct ruleset_tproxy *ret);

/* A rule `socket transparent 1 meta mark set ...`; *ret_marks: it has the second half itself. */
bool ruleset_find_socket(const struct ruleset *ruleset, enum ip_family family, bool *ret_marks,
			 uint32_t *ret_mark);

/* Is there an input chain with policy drop? ret_name: "family table chain". */
bool ruleset_drops_input(const struct ruleset *ruleset, enum ip_family family,
			 char ret_name[static RULESET_NAME_MAX]);

/* Does a rule accept what is related? What comes to this port? */
bool ruleset_accepts_related(const struct ruleset *ruleset, enum ip_family family);
bool ruleset_accepts_port(const struct ruleset *ruleset, enum ip_family family, uint16_t port);

/* Does a rule change the destination of what comes to this port, or send to it what came to another? */
bool ruleset_translates(const struct ruleset *ruleset, enum ip_family family, uint16_t port);

/* The set `name` ("family table set", and a 6 behind it for IPv6). */
void ruleset_find_set(const struct ruleset *ruleset, const char *name, enum ip_family family,
		      struct ruleset_set *ret);

#endif
