/*
 * The TLS sessions with servers that new control connections of a worker resume. A
 * session is bound to its rule, host and address, so no rule profits from what another
 * one has verified.
 */
#ifndef ATTLSD_GATEWAY_TLS_TLSCTX_KNOWN_H
#define ATTLSD_GATEWAY_TLS_TLSCTX_KNOWN_H

#include <stdint.h>

#include "policy/policy.h"

/* Of so many servers; the one that was used longest ago makes room. */
#define TLSCTX_KNOWN_MAX 256

struct ssl_session_st;
struct tlsctx_follow;

struct tlsctx_known_key {
	const struct policy_rule *rule;
	const char *host; /* lives as long as the policy, or is that of `server` */
	struct ip_endpoint server;
};

struct tlsctx_known_entry {
	const struct policy_rule *rule; /* NULL: empty */
	char *host;
	struct ip_endpoint server;
	struct ssl_session_st *session;
	uint64_t used; /* larger is later */
};

/* All zero: none. */
struct tlsctx_known {
	struct tlsctx_known_entry entries[TLSCTX_KNOWN_MAX];
	uint64_t uses;
};

/* The session with this server; borrowed. NULL: none that is still good. */
struct ssl_session_st *tlsctx_known_find(struct tlsctx_known *known, const struct tlsctx_known_key *key);

/* Remember the control connection's newest session. Without memory, nothing is remembered. */
void tlsctx_known_put(struct tlsctx_known *known, const struct tlsctx_known_key *key,
		      const struct tlsctx_follow *follow);

void tlsctx_known_done(struct tlsctx_known *known);

#endif
