/* vsftpd.conf to a draft, for a vsftpd that moves behind attlsd. */
#ifndef ATTLSD_GATEWAY_IMPORT_VSFTPD_H
#define ATTLSD_GATEWAY_IMPORT_VSFTPD_H

#include "gateway/import/draft.h"

/* address: where vsftpd will be; may be NULL. Returns 0 or -EINVAL; faults are in the source's diags. */
int import_vsftpd(struct draft *draft, struct source *source, const char *address);

#endif
