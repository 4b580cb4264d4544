/* The conditions of a TTLSRule: addresses and ports. */
#ifndef ATTLSD_GATEWAY_IMPORT_ATTLS_MATCH_H
#define ATTLSD_GATEWAY_IMPORT_ATTLS_MATCH_H

#include <stdbool.h>

#include "gateway/import/attls-parse.h"

/* More addresses, networks, and ranges of addresses or ports in one rule are not carried over. */
#define ATTLS_NETS_MAX	1024
#define ATTLS_PORTS_MAX 64

struct attls_addresses {
	const char *list;   /* of addresses, networks and ranges, in YAML; NULL: all */
	const char *single; /* the only one, if it is an address; NULL: it is not */
	size_t count;
	bool v6;
	bool masked;   /* bits after a prefix were set, and are not any more */
	bool too_many; /* list has only the first ones */
};

struct attls_ports {
	struct {
		uint16_t low, high;
	} ranges[ATTLS_PORTS_MAX];
	size_t count;  /* 0: all */
	bool too_many; /* ranges has only the first ones */
};

/* side: "Local" or "Remote". */
void attls_addresses(struct draft *draft, const struct attls_block *rule, const char *side,
		     struct attls_addresses *ret);
void attls_ports(const struct attls_block *rule, const char *side, struct attls_ports *ret);
bool attls_ports_have(const struct attls_ports *ports, unsigned port);
/* How many ports, and each of them. */
unsigned attls_ports_count(const struct attls_ports *ports);
unsigned attls_ports_at(const struct attls_ports *ports, unsigned index);
/* Do both rules apply to one of the ports? */
bool attls_ports_meet(const struct attls_ports *a, const struct attls_ports *b);
/* Are these all ports that clients use? Those are 1024 to 65535; servers have the ports below. */
bool attls_ports_are_all_of_clients(const struct attls_ports *ports);

/* For checks: can this value be read? "All" can. */
bool attls_is_address(const char *value);
bool attls_is_port_range(const char *value);

/* Is it a condition of that side, or of either (NULL)? */
bool attls_is_condition(const struct attls_item *item, const char *side);

#endif
