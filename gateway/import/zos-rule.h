/* A rule of AT-TLS on its way into a policy. */
#ifndef ATTLSD_GATEWAY_IMPORT_ZOS_RULE_H
#define ATTLSD_GATEWAY_IMPORT_ZOS_RULE_H

#include "gateway/import/attls-match.h"
#include "gateway/import/attls-merge.h"
#include "gateway/import/zos.h"

/* The conditions of a rule, besides times. */
enum zos_condition {
	ZOS_NO_CONDITION = 0,
	ZOS_LOCAL_ADDR,
	ZOS_LOCAL_PORT,
	ZOS_REMOTE_ADDR,
	ZOS_REMOTE_PORT,
	ZOS_JOB,
	ZOS_USER,
	ZOS_CONDITIONS
};

/* What becomes of the conditions of one kind. */
struct zos_kept {
	struct draft_place place; /* where they went */
	const char *question;	  /* NULL: the policy says the same; otherwise, it says less */
	const char *note;	  /* NULL: nothing to say */
	bool nothing;		  /* they have no meaning here, for the reason in note */
};

/* A rule that is for FTP. */
struct zos_rule {
	struct attls_block *block;
	struct attls_merged merged;
	struct attls_ports ports;   /* of the server: local for inbound, remote for outbound */
	struct attls_ports clients; /* the ports of the clients: remote for inbound, local for outbound */
	const char *name;	    /* in the policy */
	unsigned priority;
	bool outbound;
	bool by_job, by_user; /* Jobname or Userid makes a difference */
};

/* The value of the rule's key `match` with its times; match: "{ ... }" without them, or NULL. */
const char *zos_rule_match(struct zos *zos, const struct zos_rule *rule, const char *match);

/* ZOS_NO_CONDITION for all other parameters. */
enum zos_condition zos_rule_condition(const struct attls_item *item);

/* Conditions, Priority, Direction and what has no meaning here; `match` is the value of the rule's key. */
void zos_rule_account(struct zos *zos, const struct zos_rule *rule, struct draft_object *object,
		      const char *match, const struct zos_kept kept[static ZOS_CONDITIONS]);

#endif
