/*
 * The signer of one worker: a process that holds the private keys, and does nothing
 * but sign what a TLS server signs, or a client with its own keys.
 */
#ifndef ATTLSD_GATEWAY_KEEPER_SIGNER_H
#define ATTLSD_GATEWAY_KEEPER_SIGNER_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/key/counts.h"
#include "gateway/key/request.h"
#include "policy/policy.h"

/* How long a signer waits for a token; its worker waits for KEY_LINK_MAX_MS in all. */
#define SIGNER_TOKEN_MAX_MS 2000

struct evp_pkey_st;
struct ossl_lib_ctx_st;

struct signer_key {
	uint8_t id[KEY_ID_BYTES];
	unsigned roles;		 /* bits of enum key_role: what it may sign */
	struct evp_pkey_st *key; /* borrowed; only the public half if it is in a token */
	const char *uri;	 /* of a key in a token, with which the process at `token` signs; borrowed */
	struct ossl_lib_ctx_st *libctx; /* what signs with it; NULL: OpenSSL's default */
};

struct signer {
	int fd;	   /* to the worker */
	int token; /* to the process with the keys in tokens; -1: there is none */
	const struct signer_key *keys;
	size_t n;
	struct key_counts *counts;
	uint32_t per_second; /* requests that are carried out; see quota.h */
};

/* Bits of enum key_role: which sides of TLS use this ring? One that none uses counts as a server's. */
unsigned signer_roles(const struct policy *policy, const struct policy_keyring *ring);

/* Tell the worker that a signer has started: what it asked the last one may be lost. */
void signer_announce(const struct signer *signer);

/* Sign until no process can ask any more (or an empty packet comes, which looks the same). */
void signer_run(const struct signer *signer);

#endif
