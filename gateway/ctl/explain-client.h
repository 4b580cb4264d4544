/* The client that is explained: where it connects, and what it is. */
#ifndef ATTLSD_GATEWAY_CTL_EXPLAIN_CLIENT_H
#define ATTLSD_GATEWAY_CTL_EXPLAIN_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

struct server_maps;
struct trust_judge;
struct users;

/* Where a client connects. */
struct explain_place {
	struct policy_flow flow;
	uint16_t local_port;   /* that it dialled */
	bool local_is_example; /* nothing says which address it dialled */
};

/* What it is and does. All may be NULL. */
struct explain_client {
	const struct trust_judge *certificate; /* that it shows */
	const struct users *users;	       /* of the policy, needed for a certificate */
	const char *user;		       /* that it logs in as */
	const char *path;		       /* at the server, that it wants to use */
	const char *sni;		       /* the host name that it asks for in its handshake */
	const char *host;		       /* the same in HOST */
	const struct server_maps *maps;	       /* of the policy, needed if it has any */
};

#endif
