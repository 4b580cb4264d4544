/* The passwords with which health checks log in (backends.*.health.password_file). */
#ifndef ATTLSD_GATEWAY_TLS_HEALTH_LOGINS_H
#define ATTLSD_GATEWAY_TLS_HEALTH_LOGINS_H

#include "policy/policy.h"

struct health_logins;

/*
 * Read the files. A file that other users can read is refused. Faults go into diags. Returns 0,
 * -EINVAL (diags says why) or -ENOMEM. Before chroot.
 */
int health_logins_load(const struct policy *policy, struct diags *diags, struct health_logins **ret_logins);
void health_logins_free(struct health_logins **logins);

/* Lives as long as the logins. NULL: the backend has none. */
const char *health_logins_password(const struct health_logins *logins, const struct policy_backend *backend);

#endif
