/* proftpd.conf to a draft, for a ProFTPD that moves behind attlsd. */
#ifndef ATTLSD_GATEWAY_IMPORT_PROFTPD_H
#define ATTLSD_GATEWAY_IMPORT_PROFTPD_H

#include "gateway/import/draft.h"

/* address: where ProFTPD will be; may be NULL. Returns 0 or -EINVAL; faults are in the source's diags. */
int import_proftpd(struct draft *draft, struct source *source, const char *address);

#endif
