/*
 * What the names of a policy resolve to, as records of fixed size. One process looks
 * names up and another one puts the result into its own copy of the policy, so that
 * the latter never reads an answer from the network.
 */
#ifndef ATTLSD_GATEWAY_HOST_POLICY_NAMES_H
#define ATTLSD_GATEWAY_HOST_POLICY_NAMES_H

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

#endif
