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
 * The control socket of the attlsd that serves this file, also while the file has
 * faults. Returns 0 and the path in buf, "" for none; or a negative errno.
 */
int policy_file_peek_control_socket(const char *path, char *buf, size_t size);

#endif
