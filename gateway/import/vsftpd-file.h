/* The settings of a vsftpd.conf, in their order. */
#ifndef ATTLSD_GATEWAY_IMPORT_VSFTPD_FILE_H
#define ATTLSD_GATEWAY_IMPORT_VSFTPD_FILE_H

#include "gateway/import/draft.h"

struct vsftpd_setting {
	struct statement st;
	struct vsftpd_setting *next;
};

/* The first of them; faults are diagnostics of the source. */
struct vsftpd_setting *vsftpd_parse(struct draft *draft, struct source *source);

#endif
