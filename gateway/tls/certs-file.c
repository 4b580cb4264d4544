/*
 * Opens PEM files and puts OpenSSL's complaints about them into words, for the
 * modules that load certificates, keys, CRLs and OCSP responses.
 */
#include "gateway/tls/certs-file.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

BIO *certs_file_open(const char *path, struct diag_mark mark, const char *what, enum diag_level level,
		     struct diags *diags)
{
	BIO *bio = BIO_new_file(path, "r");

	if (bio == NULL)
		diags_add(diags, level, DIAG_FILE_UNREADABLE, mark, "cannot read the %s \"%s\": %s", what,
			  path, strerror(errno));
	ERR_clear_error();
	return bio;
}

BIO *certs_file_open_kept(const char *text, const char *path, struct diag_mark mark, const char *what,
			  struct diags *diags)
{
	BIO *bio;

	if (text == NULL)
		return certs_file_open(path, mark, what, DIAG_ERROR, diags);
	bio = BIO_new_mem_buf(text, -1);
	if (bio == NULL)
		diags_add(diags, DIAG_ERROR, DIAG_FILE_UNREADABLE, mark, "cannot read the %s \"%s\": %s",
			  what, path, strerror(ENOMEM));
	ERR_clear_error();
	return bio;
}

bool certs_file_at_end(void)
{
	unsigned long error = ERR_peek_last_error();

	return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

const char *certs_file_reason(void)
{
	unsigned long error = ERR_peek_last_error();

	if (error == 0)
		return "unknown error";
	if (ERR_SYSTEM_ERROR(error))
		return strerror(ERR_GET_REASON(error));
	if (certs_file_at_end())
		return "the file has none in PEM format";
	return ERR_reason_error_string(error) != NULL ? ERR_reason_error_string(error) : "unknown error";
}

int certs_file_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf, (void)size, (void)rwflag, (void)arg;
	return -1;
}
