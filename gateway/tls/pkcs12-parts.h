/*
 * The certificates of PKCS #12 files, as texts of the policy. Only processes that may have private keys
 * read such a file; the others get the certificates from the one that has loaded the policy.
 */
#ifndef ATTLSD_GATEWAY_TLS_PKCS12_PARTS_H
#define ATTLSD_GATEWAY_TLS_PKCS12_PARTS_H

#include <stddef.h>

#include "policy/policy.h"

/* Read the files. Returns 0, -EINVAL (diags says why) or -ENOMEM. */
int pkcs12_parts_load(struct policy *policy, struct diags *diags);

/*
 * The texts of a policy in one piece, for a pipe: `size` bytes (0: no key ring has any) into buf, which the
 * caller provides.
 */
size_t pkcs12_parts_size(const struct policy *policy);
void pkcs12_parts_get(const struct policy *policy, char *buf);

/* Give them to a policy of the same text. Returns 0, -EPROTO (they are not of this policy) or -ENOMEM. */
int pkcs12_parts_set(struct policy *policy, const char *buf, size_t len);

/* From one policy to another of the same text. Returns likewise. */
int pkcs12_parts_copy(const struct policy *from, struct policy *to);

#endif
