/*
 * Reads files of the audit trail and finds what is missing: gaps in the numbers of each process,
 * lines that are broken, sessions without an end.
 */
#ifndef ATTLSD_GATEWAY_CTL_AUDIT_VERIFY_H
#define ATTLSD_GATEWAY_CTL_AUDIT_VERIFY_H

#include <stdbool.h>
#include <stddef.h>

/* Print what is found. Returns 0, or an exit status: 1 if something is wrong, 3 if that cannot be told. */
int audit_verify(char *const *paths, size_t n, bool json);

#endif
