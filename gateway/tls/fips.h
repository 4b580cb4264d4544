/* FIPS 140: all cryptography of this process by OpenSSL's FIPS provider. */
#ifndef ATTLSD_GATEWAY_TLS_FIPS_H
#define ATTLSD_GATEWAY_TLS_FIPS_H

#include <stdbool.h>

#include "policy/policy.h"

#define FIPS_WHY_MAX 512

/*
 * Follow daemon.fips140. A process that is forked afterwards does the same. Returns 0, or -ENOENT and why
 * with the fix: then nothing has changed, and this policy must not be used.
 */
int fips_follow(bool on, char why[static FIPS_WHY_MAX]);

/* The same; the fault goes into diags. Returns 0 or -EINVAL. */
int fips_check(const struct policy_daemon *daemon, struct diags *diags);

#endif
