/* The limits of a certificate chain that a peer sends. */
#ifndef ATTLSD_GATEWAY_TLS_TRUST_LIMITS_H
#define ATTLSD_GATEWAY_TLS_TRUST_LIMITS_H

#include <stdbool.h>

#include "policy/policy.h"

struct x509_store_ctx_st;

/* Certificates between a peer's and the root. */
#define TRUST_LIMITS_DEPTH 10

/*
 * To be looked at before any signature is verified. True: the chain is refused, and
 * stream_tls_reason() will say why. whose: "client" or "server".
 */
bool trust_limits_are_exceeded(struct x509_store_ctx_st *verify, const char *whose);

/*
 * Is the key of the peer's own certificate smaller than peer_min_rsa_key_size or peer_min_ecc_key_size
 * (PeerMinRsaKeySize, PeerMinECCKeySize), or of DSA? Returns what is wrong with it, as text; the chain then
 * has an error, and stream_tls_reason() will say more. NULL: nothing. whose: as above.
 */
const char *trust_limits_weak_key(struct x509_store_ctx_st *verify, const struct tls_action *action,
				  const char *whose);

#endif
