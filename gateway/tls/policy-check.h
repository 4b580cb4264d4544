/*
 * Can a policy be served? Reading it does not show that: the certificates, keys
 * and users that it names must load as well.
 */
#ifndef ATTLSD_GATEWAY_TLS_POLICY_CHECK_H
#define ATTLSD_GATEWAY_TLS_POLICY_CHECK_H

#include "policy/policy.h"

/*
 * Can its certificates and keys be used? Tried in a child process, so that the
 * caller never holds a private key and never runs TLS code. Adds nothing to
 * diags but prints the faults itself, with their places. Returns 0 or -EINVAL.
 */
int policy_check_keys(const struct policy *policy, const struct diags *diags);

/*
 * Load all that a worker will load, in this process. Each fault is in diags, and no
 * failure is without one. Returns 0 or a negative errno.
 */
int policy_check_load(const struct policy *policy, struct diags *diags);

/*
 * The same for a program that ends with the result: loads the keys into this
 * process. diags gets everything, nothing is printed; it is the caller's to
 * diags_done(). Returns 0 when the policy could be served, or a negative errno.
 */
int policy_check(const char *path, struct diags *diags);

#endif
