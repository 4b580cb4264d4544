/* What Policy Agent demands of AT-TLS statements beyond their syntax. */
#ifndef ATTLSD_GATEWAY_IMPORT_ATTLS_CHECK_H
#define ATTLSD_GATEWAY_IMPORT_ATTLS_CHECK_H

#include "gateway/import/attls-parse.h"

/* Faults go into the diags of the sources. */
void attls_check(struct attls *attls);

#endif
