/*
 * What this host lacks for a policy: each finding with the command that fixes it.
 */
#ifndef ATTLSD_GATEWAY_CTL_DOCTOR_H
#define ATTLSD_GATEWAY_CTL_DOCTOR_H

#include <stdio.h>

#include "policy/policy.h"

struct json_t;

/*
 * Look at everything that matters to this policy, which came from `path`. Reads
 * files and asks the kernel, changes nothing. The result is the caller's; NULL:
 * no memory. Its "ok" is false when there is a problem, or when something could
 * not be looked at; warnings alone leave it true.
 */
struct json_t *doctor_examine(const struct policy *policy, const char *path);

/* For people. */
void doctor_print(const struct json_t *report, FILE *out);

#endif
