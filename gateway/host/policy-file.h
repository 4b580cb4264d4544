/*
 * A policy from its file: read, parse, resolve the names in it. The I/O that
 * policy/ itself does not do.
 */
#ifndef ATTLSD_GATEWAY_HOST_POLICY_FILE_H
#define ATTLSD_GATEWAY_HOST_POLICY_FILE_H

#include "policy/policy.h"

/*
 * Returns 0 and the policy, or a negative errno. diags is initialised in any
 * case, holds all faults and warnings, and is the caller's to print and to
 * diags_done().
 */
int policy_file_load(const char *path, struct diags *diags, struct policy **ret_policy);

/*
 * Where the attlsd that serves this file can be asked, also while the file has
 * faults. Returns 0 and the path in buf, "" for none; or a negative errno.
 */
int policy_file_peek_control_socket(const char *path, char *buf, size_t size);

/*
 * Can its certificates and keys be used? Tried in a child process, so that the
 * caller never holds a private key and never runs TLS code. Adds nothing to
 * diags but prints the faults itself, with their places. Returns 0 or -EINVAL.
 */
int policy_file_check_keys(const struct policy *policy, const struct diags *diags);

/*
 * The verdict alone, for a program that ends with it: loads the keys into this
 * process. diags gets everything, nothing is printed; it is the caller's to
 * diags_done(). Returns 0 when the policy could be served, or a negative errno.
 */
int policy_file_check(const char *path, struct diags *diags);

#endif
