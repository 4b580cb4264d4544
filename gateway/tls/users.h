/*
 * The users of the policy: their certificates (SECURE_LOGIN VERIFY_USER), their
 * services, and the credentials with which the gateway logs in a user with a
 * certificate (SECURE_PASSWORD OPTIONAL).
 */
#ifndef ATTLSD_GATEWAY_TLS_USERS_H
#define ATTLSD_GATEWAY_TLS_USERS_H

#include "ftp-alg/ftp-alg.h"
#include "gateway/tls/identity-users.h"
#include "policy/policy.h"

struct tlsctx_set;
struct users;

/*
 * Compile the entries of certificates and read the password files. Faults go into
 * diags at their place. Returns 0, -EINVAL (diags says why) or -ENOMEM. Reads
 * files: before chroot.
 */
int users_load(const struct policy *policy, struct diags *diags, struct users **ret_users);
void users_free(struct users **users);

/* Do the users' entries say enough for the authorities that the key rings trust? Faults go into diags. */
void users_check(const struct users *users, const struct tlsctx_set *set, struct diags *diags);

/*
 * Fill in what the FTP machine needs about a client with this certificate at this
 * backend. The strings belong to `users`; server_name stays. False: the certificate
 * matches entries of several users, so it belongs to none. *ret_user is the entry of
 * the policy, NULL: none.
 */
bool users_identify(const struct users *users, const struct identity *identity,
		    const struct policy_backend *backend, struct ftp_identity *ret,
		    const struct policy_user **ret_user);

/*
 * The same about a client with a Kerberos ticket. `certificate` stays false.
 */
void users_identify_principal(const struct users *users, const char *principal,
			      const struct policy_backend *backend, struct ftp_identity *ret);

#endif
