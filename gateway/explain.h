/*
 * What would happen to a client: the rule that matches it and why the earlier
 * ones do not, the settings in force, the answers to its commands.
 */
#ifndef ATTLSD_GATEWAY_EXPLAIN_H
#define ATTLSD_GATEWAY_EXPLAIN_H

#include <stdio.h>

#include "policy/policy.h"

struct json_t;

/*
 * flow->local may be the listener's wildcard address where no rule asks for
 * local_addr. The result is the caller's; NULL: no memory.
 */
struct json_t *explain_make(const struct policy *policy, const struct policy_flow *flow);

/* For people. */
void explain_print(const struct json_t *explanation, FILE *out);

#endif
