/* FTP.DATA and AT-TLS policies to a draft. */
#ifndef ATTLSD_GATEWAY_IMPORT_IMPORT_ZOS_H
#define ATTLSD_GATEWAY_IMPORT_IMPORT_ZOS_H

#include "gateway/import/draft.h"

/*
 * The sources must outlive the draft. address: of the FTP server, may be NULL. Returns 0, or -EINVAL if a
 * source has faults; they are in its diags, and the draft is not complete.
 */
int import_zos(struct draft *draft, struct source *ftp_data, size_t n_ftp_data, struct source *attls,
	       size_t n_attls, const char *address);

#endif
