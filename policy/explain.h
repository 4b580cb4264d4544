/*
 * A policy back in words: why a rule does or does not match a connection, and
 * which settings an object has, given or by default.
 */
#ifndef ATTLSD_POLICY_EXPLAIN_H
#define ATTLSD_POLICY_EXPLAIN_H

#include <stdbool.h>

#include "policy/types.h"

/* Bits: the parts of a rule's match that do not fit. */
#define POLICY_MISS_LISTENER	1u
#define POLICY_MISS_REMOTE_ADDR 2u
#define POLICY_MISS_LOCAL_ADDR	4u
#define POLICY_MISS_DIRECTION	8u
#define POLICY_MISS_DESTINATION 16u
#define POLICY_MISS_TIME	32u
#define POLICY_MISSES		63u /* all of them */

/* 0: the rule matches. Asks policy_match() about each part of the rule alone. */
unsigned policy_explain_rule(const struct policy_rule *rule, const struct policy_flow *flow);

/* The key of one of these bits, as in the policy file. */
const char *policy_miss_name(unsigned bit);

/* Does the file give this key of an object, so that its value is no default? Not for rules, which are sorted.
 */
bool policy_is_given(const struct policy *policy, const void *object, const char *key);

typedef void policy_setting_fn(void *context, const char *key, const char *value, bool given);

/*
 * Call fn for each setting of an object of `section` ("tls_actions", "ftp_actions",
 * "backends", "keyrings"), in the words of the policy file, and say whether the file gives it. Values that
 * are not plain (certificates, addresses) are left out. The value lives until fn returns.
 */
void policy_explain_settings(const struct policy *policy, const char *section, const void *object,
			     policy_setting_fn *fn, void *context);

#endif
