/* Rules of AT-TLS as rules and listeners of a policy. */
#ifndef ATTLSD_GATEWAY_IMPORT_ZOS_RULES_H
#define ATTLSD_GATEWAY_IMPORT_ZOS_RULES_H

#include "gateway/import/zos.h"

/* Everything that the files say about rules, and listeners for what they leave out. */
void zos_rules(struct zos *zos);

#endif
