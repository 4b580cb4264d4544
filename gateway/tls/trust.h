/*
 * Whom a key ring trusts: the authorities whose client certificates are good,
 * and what these have revoked.
 *
 * Everything is read at load time, folders and the store of the system too: a
 * worker has no files. Checking is OpenSSL's alone. With a CRL it is strict: an
 * authority of the chain without a CRL, or with an expired one, or with one
 * that it did not sign, vouches for nobody.
 */
#ifndef ATTLSD_GATEWAY_TLS_TRUST_H
#define ATTLSD_GATEWAY_TLS_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

struct ssl_ctx_st;
struct trust;

/*
 * Load what the ring names; a ring without trust gets one that vouches for
 * nobody. Faults (unreadable, nothing in it) go into diags at the place of the
 * path. Returns 0 (also after faults) or -ENOMEM.
 */
int trust_load(const struct policy_keyring *keyring, struct diags *diags, struct trust **ret_trust);
void trust_free(struct trust **trust);

/*
 * Seconds until the first authority has no current list of revoked certificates any
 * more, 0 or below when one has none. False: there are no lists, or they do not end.
 */
bool trust_crl_left(const struct trust *trust, int64_t *ret_left_s);

/* Ask clients for certificates and check them, as far as the type wants it. Returns 0 or -ENOMEM. */
int trust_use(const struct trust *trust, enum client_auth_type type, struct ssl_ctx_st *ctx);

#endif
