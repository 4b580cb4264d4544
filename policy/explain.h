/*
 * A policy in words again: why a rule does or does not match a connection, and
 * which settings stand in an object, given or by default.
 */
#ifndef ATTLSD_POLICY_EXPLAIN_H
#define ATTLSD_POLICY_EXPLAIN_H

#include "policy/types.h"

/* What of a rule's match does not fit; bits. */
#define POLICY_MISS_LISTENER	1u
#define POLICY_MISS_REMOTE_ADDR 2u
#define POLICY_MISS_LOCAL_ADDR	4u

/* 0: the rule matches. Asks policy_match() about each part of the rule alone. */
unsigned policy_explain_rule(const struct policy_rule *rule, const struct policy_flow *flow);

/* The key of one of these bits, as the policy file has it. */
const char *policy_miss_name(unsigned bit);

typedef void policy_setting_fn(void *context, const char *key, const char *value);

/*
 * Call fn for each setting of an object of `section` ("tls_actions",
 * "ftp_actions", "backends"), in the words of the policy file. Left out: what is
 * not a plain value (certificates, addresses), and keys that cannot be given yet.
 * The value lives until fn returns.
 */
void policy_explain_settings(const char *section, const void *object, policy_setting_fn *fn, void *context);

#endif
