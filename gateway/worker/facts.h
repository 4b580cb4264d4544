/*
 * What is known of a session once it is admitted, and does not change after:
 * who the client is, what it dialled, which rule and which server it has. Data
 * connections see this much of their session. `identity` alone changes, at a
 * later AUTH or REIN.
 */
#ifndef ATTLSD_GATEWAY_WORKER_FACTS_H
#define ATTLSD_GATEWAY_WORKER_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/tls/identity.h"
#include "gateway/tls/tlsctx.h"
#include "policy/policy.h"

struct facts {
	uint64_t id;
	const struct policy_listener *listener;
	const struct policy_rule *rule; /* NULL: not known yet */
	struct tlsctx *tlsctx;
	uint8_t binding[TLS_BINDING_BYTES];
	struct ip_endpoint remote; /* the client */
	struct ip_endpoint local;  /* what it dialled */
	struct ip_endpoint server; /* where the server is */
	struct ip_addr host;	   /* this host's end, which is not `local` behind a load balancer */
	bool proxied;		   /* a PROXY header named the client */
	bool transparent;	   /* the listener is: we speak with the addresses of others */
	struct identity identity;  /* of the client, by its certificate */
};

#endif
