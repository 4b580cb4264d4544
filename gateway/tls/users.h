/*
 * The users of the policy: whose certificate is whose (SECURE_LOGIN
 * VERIFY_USER), who may use which service, and the credentials that let the
 * gateway log a certified user in (SECURE_PASSWORD OPTIONAL).
 */
#ifndef ATTLSD_GATEWAY_TLS_USERS_H
#define ATTLSD_GATEWAY_TLS_USERS_H

#include "ftp-alg/ftp-alg.h"
#include "gateway/tls/identity.h"
#include "policy/policy.h"

struct users;

/*
 * Compile the certificate subjects and read the password files. Faults go into
 * diags at their place. Returns 0, -EINVAL (diags says why) or -ENOMEM. Reads
 * files: before chroot.
 */
int users_load(const struct policy *policy, struct diags *diags, struct users **ret_users);
void users_free(struct users **users);

/*
 * What the FTP machine needs to know about a client with this certificate at this
 * backend. The strings belong to `users`; server_name is left alone.
 */
void users_identify(const struct users *users, const struct identity *identity,
		    const struct policy_backend *backend, struct ftp_identity *ret);

#endif
