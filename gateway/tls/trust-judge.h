/*
 * Would the handshake admit a client with this certificate, or one that asks for this
 * host name? For attlsctl: it has no client, and may read no private key.
 */
#ifndef ATTLSD_GATEWAY_TLS_TRUST_JUDGE_H
#define ATTLSD_GATEWAY_TLS_TRUST_JUDGE_H

#include <stdbool.h>

#include "gateway/tls/identity.h"
#include "policy/policy.h"

struct trust_judge; /* what the client sends: its certificate, and those of authorities */

/* From a file, PEM or DER. Returns 0, -EINVAL (*ret_reason says why there is none) or -ENOMEM. */
int trust_judge_load(const char *path, struct trust_judge **ret_client, const char **ret_reason);
void trust_judge_free(struct trust_judge **client);

/*
 * Check the chain against an action: the trust and crl of its key ring, its least key sizes, and Suite B.
 * Returns 0 and the identity, which is the caller's to identity_done(); *ret_reason is "" if it is verified,
 * or else OpenSSL's reason, or that of trust_limits_weak_key(). -EINVAL: diags says what cannot be read;
 * -ENOMEM.
 */
int trust_judge_chain(const struct trust_judge *client, const struct tls_action *action, struct diags *diags,
		      struct identity *ret_identity, const char **ret_reason);

/* Does a certificate of the ring have this host name? What cannot be read goes into diags. */
bool trust_judge_name(const char *name, const struct policy_keyring *keyring, struct diags *diags);

#endif
