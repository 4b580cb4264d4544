/*
 * An SSL_CTX for each tls_action of the policy. Only this module and its parts
 * (tlsctx-*) set TLS options. tlsctx-reuse.h says which sessions are resumed.
 */
#ifndef ATTLSD_GATEWAY_TLS_TLSCTX_H
#define ATTLSD_GATEWAY_TLS_TLSCTX_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/ticket-seeds.h"
#include "gateway/base/ticket-sets.h"
#include "gateway/tls/tlsctx-reuse.h"
#include "policy/policy.h"

struct certs;
struct key_provider;
struct ssl_st;
struct tlsctx_client;
struct trust;
struct tlsctx;	   /* one tls_action */
struct tlsctx_set; /* all of a policy */

/* Where the private keys are. */
struct tlsctx_keys {
	bool isolated;			    /* they only sign: no cipher suite that needs them otherwise */
	struct key_provider *provider;	    /* they are in another process; NULL: load them */
	const struct ticket_seeds *tickets; /* of the keys of tickets; NULL: each set has random keys */
	const struct ticket_sets *sets;	    /* the same, of tls_actions with session_ticket_keys */
};

/*
 * Load certificates, keys and settings of all tls_actions. Every fault goes
 * into diags with the place in the policy that names the file. Returns 0, or
 * -EINVAL (diags says why), or -ENOMEM. Reads files: before chroot.
 */
int tlsctx_set_load(const struct policy *policy, const struct tlsctx_keys *keys, struct diags *diags,
		    struct tlsctx_set **ret_set);
void tlsctx_set_free(struct tlsctx_set **set);

/* Of the key ring at this place of the policy; the set's. */
const struct certs *tlsctx_set_certs(const struct tlsctx_set *set, size_t keyring);
const struct trust *tlsctx_set_trust(const struct tlsctx_set *set, size_t keyring);

/* Wipe keys of session tickets that have all expired. Returns in how many milliseconds to call it again. */
uint64_t tlsctx_set_expire(struct tlsctx_set *set, uint64_t now_ms);

/* A new seed for the keys of session tickets of the tls_action at this index. */
void tlsctx_set_renew(struct tlsctx_set *set, size_t action, const struct ticket_seed *seed);

/* The seeds of one with session_ticket_keys change. */
void tlsctx_set_replace(struct tlsctx_set *set, size_t action, const struct ticket_part *part,
			uint64_t now_ms);

/* Of an action with another role; lives as long as the set. */
struct tlsctx *tlsctx_find(struct tlsctx_set *set, const struct tls_action *action);

/* Of an action with handshake_role: client; lives as long as the set. */
const struct tlsctx_client *tlsctx_find_client(const struct tlsctx_set *set, const struct tls_action *action);

/*
 * A new server-side SSL for one connection, without transport. NULL: no memory.
 */
struct ssl_st *tlsctx_new(struct tlsctx *tlsctx, enum tlsctx_use use,
			  const uint8_t binding[static TLS_BINDING_BYTES]);

#endif
