/* The TLS of a rule of AT-TLS as tls_actions and keyrings. */
#ifndef ATTLSD_GATEWAY_IMPORT_ATTLS_TLS_H
#define ATTLSD_GATEWAY_IMPORT_ATTLS_TLS_H

#include "gateway/import/attls-merge.h"
#include "gateway/import/zos.h"

/*
 * Finds or makes it: rules with the same actions share one. client: for the way to a server; then
 * HostReferenceIdDNS is the caller's.
 */
struct draft_object *attls_tls(struct zos *zos, const struct attls_merged *merged, bool client);

/* Account for a block's head, once. */
void attls_tls_account_head(struct zos *zos, struct attls_block *block, struct draft_object *object);

#endif
