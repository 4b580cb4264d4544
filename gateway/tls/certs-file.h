/*
 * Reading files of certificates, keys, CRLs: what the modules that do so share.
 */
#ifndef ATTLSD_GATEWAY_TLS_CERTS_FILE_H
#define ATTLSD_GATEWAY_TLS_CERTS_FILE_H

#include <stdbool.h>

#include "policy/diag.h"

struct bio_st;

/* Open for reading. NULL after a fault, which is in diags at `level`; `what` names the content there. */
struct bio_st *certs_file_open(const char *path, struct diag_mark mark, const char *what,
			       enum diag_level level, struct diags *diags);

/* The same of a text, if it is not NULL: the content of a file that another process has read. */
struct bio_st *certs_file_open_kept(const char *text, const char *path, struct diag_mark mark,
				    const char *what, struct diags *diags);

/* OpenSSL's last error, in words for a user. Valid until its next error. */
const char *certs_file_reason(void);

/* Was that only the end of a PEM file? */
bool certs_file_at_end(void);

/* For PEM functions: never ask for a passphrase, a daemon has no terminal. */
int certs_file_passphrase(char *buf, int size, int rwflag, void *arg);

#endif
