/* The command import. */
#ifndef ATTLSD_GATEWAY_IMPORT_IMPORT_COMMAND_H
#define ATTLSD_GATEWAY_IMPORT_IMPORT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#define IMPORT_FILES_MAX 64 /* of each kind */

struct import_request {
	const char *ftp_data[IMPORT_FILES_MAX];
	size_t n_ftp_data;
	const char *attls[IMPORT_FILES_MAX];
	size_t n_attls;
	const char *vsftpd; /* NULL: none; so are the following */
	const char *proftpd;
	const char *backend;
	const char *output; /* NULL: the standard output */
	const char *report;
	bool json;
	bool force;
};

/* Returns an exit status. */
int import_command(const struct import_request *request);

#endif
