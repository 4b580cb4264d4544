/*
 * Whom a key ring trusts: the authorities of certificates that peers show, and what these
 * have revoked.
 *
 * Everything is read at load time, folders and the system's store too: a worker
 * has no files. OpenSSL alone does the checks. With a CRL they are strict: each
 * authority of the chain needs a CRL that it has signed and that has not expired,
 * or the certificate is refused.
 */
#ifndef ATTLSD_GATEWAY_TLS_TRUST_H
#define ATTLSD_GATEWAY_TLS_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

struct X509_name_st;
struct ssl_ctx_st;
struct trust;
struct x509_st;
struct x509_store_st;

/*
 * Load what the ring names; a ring without trust gets an empty one, which refuses
 * every certificate. Faults (unreadable, nothing in it) go into diags at the place of the
 * path. Returns 0 (also after faults) or -ENOMEM.
 */
int trust_load(const struct policy_keyring *keyring, struct diags *diags, struct trust **ret_trust);
void trust_free(struct trust **trust);

/*
 * Seconds until the first authority is without a current CRL, 0 or below when one
 * already is. False: there are no CRLs, or none expires.
 */
bool trust_crl_left(const struct trust *trust, int64_t *ret_left_s);

/* Does the ring trust several roots, or whatever the system trusts? Roots of one name count once. */
bool trust_has_several(const struct trust *trust);
bool trust_store_has_several(const struct x509_store_st *store);

/* Does it hold an authority of this name, or this very one? */
bool trust_has(const struct trust *trust, const struct X509_name_st *name);
bool trust_store_holds(const struct x509_store_st *store, const struct x509_st *authority);

/* All that it holds, for a check without a connection. */
struct x509_store_st *trust_store(const struct trust *trust);

/* Request certificates of clients and check them as the action demands, which has to outlive the context.
 * Returns 0 or -ENOMEM. */
int trust_use(const struct trust *trust, const struct tls_action *action, struct ssl_ctx_st *ctx);

/* Check certificates of servers with it. Returns 0 or -ENOMEM. */
int trust_use_for_servers(const struct trust *trust, struct ssl_ctx_st *ctx);

#endif
