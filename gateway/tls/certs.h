/*
 * The certificates and private keys of one key ring.
 */
#ifndef ATTLSD_GATEWAY_TLS_CERTS_H
#define ATTLSD_GATEWAY_TLS_CERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/key/request.h"
#include "policy/policy.h"

struct evp_pkey_st;
struct key_provider;
struct ssl_ctx_st;
struct ssl_st;
struct certs;

/*
 * Load what the ring names. With a provider, the private keys are in another process,
 * and no key file is opened; without, they are loaded, too. Faults (no such file, not PEM, key does not
 * belong to the certificate, expired: a warning; the same of OCSP responses) go into diags at the place of
 * the path. Returns 0 (also after faults) or -ENOMEM.
 */
int certs_load(const struct policy_keyring *keyring, struct key_provider *provider, struct diags *diags,
	       struct certs **ret_certs);
void certs_free(struct certs **certs);

/*
 * The key of certificate `index` of the ring, and its name (gateway/key/request.h); it
 * stays with the ring. Returns 0 or a negative errno: it was not loaded.
 */
int certs_key(const struct certs *certs, size_t index, uint8_t id[static KEY_ID_BYTES],
	      struct evp_pkey_st **ret_key);

/*
 * Give a context the ring's default: the first certificate of each key type. If OpenSSL
 * refuses one, diags has it, once for all contexts.
 */
void certs_use(struct certs *certs, const struct policy_keyring *keyring, struct ssl_ctx_st *ctx,
	       struct diags *diags);

/*
 * Choose by the name that the client asked for (NULL: it named none): the
 * certificates of the ring for that name, if there are any, or else the default.
 * Returns 1, or 0 when OpenSSL refuses (the handshake fails).
 */
int certs_select(const struct certs *certs, struct ssl_st *ssl, const char *name);

/* Is a certificate of the ring for this host name? */
bool certs_has_name(const struct certs *certs, const char *name);

/*
 * Seconds until certificate `index` of the ring expires, 0 or below when it has;
 * and for how many it is valid in all. False: it was not loaded.
 */
bool certs_left(const struct certs *certs, size_t index, int64_t *ret_left_s, int64_t *ret_lifetime_s);

/* Whole days until certificate `index` of the ring expires, below 0 when it has. False: it was not loaded. */
bool certs_days_left(const struct certs *certs, size_t index, int64_t *ret_days);

/*
 * For the certificate that was chosen: give an OCSP response to a client that
 * asks for one. False: there is none that is current, go on without.
 */
bool certs_staple(const struct certs *certs, struct ssl_st *ssl);

#endif
