/* A rule of AT-TLS on its way into a policy. */
#ifndef ATTLSD_GATEWAY_IMPORT_ZOS_RULE_H
#define ATTLSD_GATEWAY_IMPORT_ZOS_RULE_H

#include "gateway/import/attls-match.h"
#include "gateway/import/attls-merge.h"
#include "gateway/import/zos.h"

/* A rule that is for FTP. */
struct zos_rule {
	struct attls_block *block;
	struct attls_merged merged;
	struct attls_ports ports; /* of the server: local for inbound, remote for outbound */
	const char *name;	  /* in the policy */
	unsigned priority;
	bool outbound;
};

/* The value of the rule's key `match` with its times; match: "{ ... }" without them, or NULL. */
const char *zos_rule_match(struct zos *zos, const struct zos_rule *rule, const char *match);

/* Priority, Direction and what has no meaning here; `match` is the value of the rule's key. */
void zos_rule_account(struct zos *zos, const struct zos_rule *rule, struct draft_object *object,
		      const char *match);

#endif
