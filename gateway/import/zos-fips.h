/* What FIPS140 of AT-TLS leaves of lists of cipher suites, groups and signature algorithms. */
#ifndef ATTLSD_GATEWAY_IMPORT_ZOS_FIPS_H
#define ATTLSD_GATEWAY_IMPORT_ZOS_FIPS_H

#include "gateway/import/draft.h"

/* If the policy has fips140, take from all tls_actions what FIPS 140 does not approve. */
void zos_fips_finish(struct draft *draft);

#endif
