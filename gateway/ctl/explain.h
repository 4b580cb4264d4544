/*
 * Explains what happens to a client: the rule that matches and why earlier ones do
 * not, the settings in force, the answers to its commands.
 */
#ifndef ATTLSD_GATEWAY_CTL_EXPLAIN_H
#define ATTLSD_GATEWAY_CTL_EXPLAIN_H

#include "gateway/ctl/explain-client.h"

struct diags;
struct json_t;

/*
 * The caller owns the result. NULL: no memory, or diags has what cannot be read (the certificates of
 * authorities, for a client that shows one).
 */
struct json_t *explain_make(const struct policy *policy, const struct explain_place *place,
			    const struct explain_client *client, struct diags *diags);

#endif
