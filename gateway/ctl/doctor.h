/* Finds what this host lacks for a policy, with the command that fixes each finding. */
#ifndef ATTLSD_GATEWAY_CTL_DOCTOR_H
#define ATTLSD_GATEWAY_CTL_DOCTOR_H

#include <stdio.h>

#include "policy/policy.h"

struct json_t;

/*
 * Check everything that the policy from the file `path` needs. Reads files and asks
 * the kernel, changes nothing. The caller owns the result; NULL: no memory. Its
 * "status" is that of the worst finding; "ok" is true if that is ok or a warning.
 */
struct json_t *doctor_examine(const struct policy *policy, const char *path, const char *own);

/* The exit status of attlsctl for a report. */
int doctor_exit_status(const struct json_t *report);

/* Print the report for people. */
void doctor_print(const struct json_t *report, FILE *out);

#endif
