/*
 * What the names of a policy resolve to, as records of fixed size. One process looks
 * names up and another one puts the result into its own copy of the policy, so that
 * the latter never reads an answer from the network.
 */
#ifndef ATTLSD_GATEWAY_HOST_POLICY_NAMES_H
#define ATTLSD_GATEWAY_HOST_POLICY_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

/* The bytes of all records of this policy. */
size_t policy_names_size(const struct policy *policy);

/* Write the records of a policy whose names are resolved into policy_names_size() bytes. */
void policy_names_get(const struct policy *policy, uint8_t *buf);

/*
 * Put records into another policy from the same text. Returns 0, or -EPROTO if they
 * are not for this policy or hold no address where one is needed; it may then have
 * been changed in part.
 */
int policy_names_set(struct policy *policy, const uint8_t *buf, size_t len);

/*
 * Calls fn for each name or interface whose addresses differ, in any order, between two
 * policies from the same text. Returns whether one does. *ret_apart: one of them has no
 * address left that it had.
 */
typedef void policy_names_fn(void *context, const char *name, const struct ip_addr *old, size_t nold,
			     const struct ip_addr *new, size_t nnew);
bool policy_names_differ(const struct policy *old, const struct policy *new, policy_names_fn *fn,
			 void *context, bool *ret_apart);

#endif
