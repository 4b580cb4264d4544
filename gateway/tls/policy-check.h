/*
 * Can a policy be served? Reading it does not show that: the certificates, keys
 * and users that it names must load as well.
 */
#ifndef ATTLSD_GATEWAY_TLS_POLICY_CHECK_H
#define ATTLSD_GATEWAY_TLS_POLICY_CHECK_H

#include "policy/policy.h"

/*
 * Load all that a worker will load, in this process. Each fault is in diags, and no
 * failure is without one. Returns 0 or a negative errno.
 */
int policy_check_load(const struct policy *policy, struct diags *diags);

/*
 * Read the policy, and the file of this node (NULL: there is none), and do the same. diags gets everything,
 * nothing is printed; it is the caller's to diags_done(). Returns 0 when the policy could be served, or a
 * negative errno.
 */
int policy_check(const char *path, const char *own, struct diags *diags);

#endif
