/*
 * Which user of the policy a certificate belongs to.
 */
#ifndef ATTLSD_GATEWAY_TLS_IDENTITY_USERS_H
#define ATTLSD_GATEWAY_TLS_IDENTITY_USERS_H

#include "gateway/tls/identity.h"
#include "policy/policy.h"

struct tlsctx_set;

/* The entries of `certificates` of all users, compiled. */
struct identity_users;

/*
 * Faults (a text that is no name, a certificate that two users have) go into diags.
 * Returns 0 (also after faults) or -ENOMEM.
 */
int identity_users_load(const struct policy *policy, struct diags *diags, struct identity_users **ret_users);
void identity_users_free(struct identity_users **users);

/*
 * Does each entry say enough for the key rings that it is used with? Where a key ring
 * trusts several authorities, any of them can make a certificate with any subject.
 */
void identity_users_check(const struct identity_users *users, const struct policy *policy,
			  const struct tlsctx_set *set, struct diags *diags);

/*
 * The policy's user with this certificate. NULL: there is none, or it was not
 * verified, or (*ret_several is true) there are two.
 */
const struct policy_user *identity_users_find(const struct identity_users *users,
					      const struct identity *identity, bool *ret_several);

#endif
