/* FTP.DATA of z/OS: one statement a line, with comments after ';'. */
#ifndef ATTLSD_GATEWAY_IMPORT_FTP_DATA_H
#define ATTLSD_GATEWAY_IMPORT_FTP_DATA_H

#include "gateway/import/draft.h"
#include "gateway/import/ftp-data-table.h"

struct ftp_data_statement {
	struct statement st;
	const struct ftp_data_row *row;	     /* NULL: unknown */
	struct ftp_data_statement *replaced; /* by a later one of the same name; NULL: it counts */
	struct ftp_data_statement *next;
};

struct ftp_data {
	struct source *source;
	struct ftp_data_statement *first;
	unsigned sides; /* whose file it is: FTP_DATA_SERVER, FTP_DATA_CLIENT or both */
};

/* Faults go into the diags of the source. What it allocates belongs to the draft. */
void ftp_data_parse(struct draft *draft, struct source *source, struct ftp_data *ret);

/* The statement of this name that counts, or NULL. */
struct ftp_data_statement *ftp_data_find(const struct ftp_data *data, const char *name);

/* Both ends of (low,high). Returns false for anything else. */
bool ftp_data_ports(const char *value, unsigned *ret_low, unsigned *ret_high);

#endif
