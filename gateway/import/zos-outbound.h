/* The FTP client of z/OS and its outbound rules: attlsd between programs in the clear and TLS servers. */
#ifndef ATTLSD_GATEWAY_IMPORT_ZOS_OUTBOUND_H
#define ATTLSD_GATEWAY_IMPORT_ZOS_OUTBOUND_H

#include "gateway/import/zos-rule.h"

void zos_outbound(struct zos *zos, const struct zos_rule *rule, struct draft_object *object);

/* For a client's FTP.DATA alone. */
void zos_outbound_without_rule(struct zos *zos);

#endif
