/*
 * The nftables rules of this host, as nft writes them in JSON, and searches for single
 * rules. A search ignores conditions other than ports (interfaces, addresses) and does
 * not follow jumps: packet-walk.c does. So "found" means that the administrator has
 * thought of it, "not found" that there is nothing.
 */
#ifndef ATTLSD_GATEWAY_CTL_RULESET_H
#define ATTLSD_GATEWAY_CTL_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/ip.h"

#define RULESET_NAME_MAX   128
#define RULESET_RANGES_MAX 32

struct json_t;
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
	bool found, right_type, timeout;
};

/* Returns 0, -EPERM, or -EIO if nft fails for another reason. */
int ruleset_load(struct ruleset **ret_ruleset);
void ruleset_free(struct ruleset **ruleset);

/* The same from text, as nft writes it: -EINVAL if it is something else. */
int ruleset_parse(const char *text, struct ruleset **ret_ruleset);

/* Has the older iptables (iptables-legacy) rules of its own? nft does not see them. */
bool ruleset_has_legacy(void);

/* All objects: an array of objects with one key each, in nft's order. */
const struct json_t *ruleset_items(const struct ruleset *ruleset);

/* The string `key` of an object; "" if there is none. */
const char *ruleset_text(const struct json_t *object, const char *key);

/* The object of this kind and name in the table of `near`; NULL: there is none. */
const struct json_t *ruleset_named(const struct ruleset *ruleset, const char *kind, const struct json_t *near,
				   const char *name);

/* The elements of a set or map in the table of `rule`: an array, or NULL if it is empty. */
const struct json_t *ruleset_elements(const struct ruleset *ruleset, const struct json_t *rule,
				      const char *name);

/* Is `name` in the table of `near` what `full` ("family table name") says? */
bool ruleset_is_named(const struct json_t *near, const char *name, const char *full);

bool ruleset_ports_have(const struct ruleset_ports *ports, uint16_t port);

/* A rule that passes connections to this port of the host by TPROXY; NULL: there is none. */
const struct json_t *ruleset_tproxy_rule(const struct ruleset *ruleset, enum ip_family family, uint16_t port);

/* The same, with what it says. */
bool ruleset_find_tproxy(const struct ruleset *ruleset, enum ip_family family, uint16_t port,
			 struct ruleset_tproxy *ret);

/* Find a rule `socket transparent 1 meta mark set ...`; *ret_marks: it sets the mark itself. */
bool ruleset_find_socket(const struct ruleset *ruleset, enum ip_family family, bool *ret_marks,
			 uint32_t *ret_mark);

/* Does a rule change the destination of packets to this port, or redirect packets to it? */
bool ruleset_translates(const struct ruleset *ruleset, enum ip_family family, uint16_t port);

/* Find the set `name` ("family table set"; for IPv6 with a 6 at the end). */
void ruleset_find_set(const struct ruleset *ruleset, const char *name, enum ip_family family,
		      struct ruleset_set *ret);

#endif
