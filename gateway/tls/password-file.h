/* The files with passwords: for servers, those of users and of health checks; and those of private keys. */
#ifndef ATTLSD_GATEWAY_TLS_PASSWORD_FILE_H
#define ATTLSD_GATEWAY_TLS_PASSWORD_FILE_H

#include "gateway/host/secret-file.h"
#include "policy/diag.h"

/*
 * Take the password out of the `n` first bytes of a file, which are wiped. Returns 0 and the password;
 * -EINVAL and *ret_why: the first line is none; or -ENOMEM and *ret_why.
 */
int password_file_take(char *buf, size_t n, char **ret_password, const char **ret_why);

/* Enough bytes for that. */
#define PASSWORD_FILE_BYTES 130

/* The password of a private key, which nobody else may read. Returns 0, or -EINVAL after a fault in diags. */
int password_file_read(const char *path, struct diag_mark mark, struct diags *diags, char **ret_password);

/* Wipe and free. */
void password_file_free(char **password);

#endif
