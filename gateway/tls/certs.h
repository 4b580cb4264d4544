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
 * and no key file is opened; without, they are loaded, too, except those in tokens. Faults (no such file, not
 * PEM, key does not belong to the certificate, expired: a warning; the same of OCSP responses) go into diags
 * at the place of the path. Returns 0 (also after faults) or -ENOMEM.
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

/* When a certificate is valid, in seconds from now. */
struct certs_validity {
	int64_t starts_s; /* above 0: it is not valid yet */
	int64_t left_s;	  /* 0 or below: it has expired */
	int64_t lifetime_s;
};

/*
 * When certificate `index` of the ring is valid (position 0), or an issuer that follows it in
 * the file (1 and up). False: there is none.
 */
bool certs_validity(const struct certs *certs, size_t index, size_t position, struct certs_validity *ret);

/* Until when the OCSP response of certificate `index` is good, in seconds since 1970; 0: none, or no end. */
int64_t certs_ocsp_until(const struct certs *certs, size_t index);

/*
 * Is it time to renew it? A certificate that is valid for only days is renewed in its
 * last hours, so a third of its life is soon enough.
 */
bool certs_expires_soon(const struct certs_validity *validity);

/*
 * For the certificate that was chosen: give an OCSP response to a client that
 * asks for one. False: there is none that is current, go on without.
 */
bool certs_staple(const struct certs *certs, struct ssl_st *ssl);

#endif
