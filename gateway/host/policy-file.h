/*
 * A policy from its file: read, parse, resolve the names in it. The I/O that
 * policy/ itself does not do.
 */
#ifndef ATTLSD_GATEWAY_HOST_POLICY_FILE_H
#define ATTLSD_GATEWAY_HOST_POLICY_FILE_H

#include <stddef.h>

#include "policy/policy.h"

/*
 * Returns 0 and the policy, or a negative errno. diags is initialised in any
 * case, holds all faults and warnings, and is the caller's to print and to
 * diags_done(). own: the path of the file of this node; NULL: there is none.
 */
int policy_file_load(const char *path, const char *own, struct diags *diags, struct policy **ret_policy);

/*
 * Its steps, for a process that takes them apart. policy_file_read() initialises diags
 * only if it fails, policy_file_parse() in any case; *ret_text is the caller's to free.
 * policy_file_resolve() calls fn (may be NULL) with each name before it looks it up,
 * which may take long; it returns -EHOSTUNREACH if that is the only fault. *ret_good_s (may
 * be NULL: do not ask) is for how many seconds the addresses are good; 0: for ever, there
 * are no names.
 */
typedef void policy_file_step_fn(void *context, const char *name);
int policy_file_read(const char *path, struct diags *diags, char **ret_text, size_t *ret_len);
/* The same for the file of this node. */
int policy_file_read_own(const char *path, struct diags *diags, char **ret_text, size_t *ret_len);
int policy_file_parse(const char *path, const char *text, size_t len, const struct policy_own_text *own,
		      struct diags *diags, struct policy **ret_policy);
int policy_file_resolve(struct policy *policy, struct diags *diags, policy_file_step_fn *fn, void *context,
			uint32_t *ret_good_s);

/*
 * The same for a policy that has addresses already (policy-names.h). A name that is not found,
 * or that leads to this attlsd, keeps those that it has, and kept() hears why.
 */
typedef void policy_file_kept_fn(void *context, const char *name, const char *why);
void policy_file_resolve_again(struct policy *policy, struct diags *diags, policy_file_step_fn *fn,
			       policy_file_kept_fn *kept, void *context, uint32_t *ret_good_s);

/*
 * The control socket of the attlsd that serves this file, also while the file has
 * faults. Returns 0 and the path in buf, "" for none; or a negative errno.
 */
int policy_file_peek_control_socket(const char *path, char *buf, size_t size);

#endif
