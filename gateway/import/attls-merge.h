/* The parameters that are in force for a rule: the connection's over the environment's over the group's. */
#ifndef ATTLSD_GATEWAY_IMPORT_ATTLS_MERGE_H
#define ATTLSD_GATEWAY_IMPORT_ATTLS_MERGE_H

#include "gateway/import/attls-parse.h"

/* A statement on the way from a rule to its parameters. */
struct attls_use {
	struct attls_item *item;
	const struct attls_block *by; /* what overrides it; NULL: it counts */
	struct attls_use *next;
};

struct attls_merged {
	struct attls_block *group, *environment, *connection; /* NULL: the rule has none */
	struct attls_use *uses, *last;			      /* in the order of the levels */
};

void attls_merge(struct draft *draft, const struct attls_block *rule, struct attls_merged *ret);

/* The item that counts; NULL: none. */
struct attls_item *attls_merged_find(const struct attls_merged *merged, const char *keyword);
/* Its value, or this default. */
const char *attls_merged_value(const struct attls_merged *merged, const char *keyword, const char *instead);

#endif
