/* Finds the password in the first line of a file. */
#include "gateway/tls/password-file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* z/OS password phrases have up to 100 characters. */
#define PASSWORD_MAX 128

_Static_assert(PASSWORD_FILE_BYTES > PASSWORD_MAX, "a line that is too long is seen as such");

int password_file_take(char *buf, size_t n, char **ret_password, const char **ret_why)
{
	size_t len = 0;
	char *password = NULL;
	int r = 0;

	while (len < n && buf[len] != '\n' && buf[len] != '\r' && buf[len] != '\0')
		len++;
	if (len == 0 || len > PASSWORD_MAX)
		r = -EINVAL;
	else if ((password = strndup(buf, len)) == NULL)
		r = -ENOMEM;
	explicit_bzero(buf, n);
	if (r == 0)
		*ret_password = password;
	else
		*ret_why =
		    r == -EINVAL ? "its first line must be a password of 1 to 128 characters" : strerror(-r);
	return r;
}

int password_file_read(const char *path, struct diag_mark mark, struct diags *diags, char **ret_password)
{
	char buf[PASSWORD_FILE_BYTES];
	struct secret_file file;
	ssize_t n = secret_file_read(path, buf, sizeof(buf), &file);
	const char *why = file.why;

	if (n >= 0 && password_file_take(buf, (size_t)n, ret_password, &why) == 0)
		return 0;
	diags_add(diags, DIAG_ERROR, DIAG_BAD_PASSWORD_FILE, mark,
		  "cannot use the password file \"%s\" of a private key: %s", path, why);
	diags_see(diags, path, (struct diag_mark){ 0 }, "the password");
	return -EINVAL;
}

void password_file_free(char **password)
{
	if (*password == NULL)
		return;
	explicit_bzero(*password, strlen(*password));
	free(*password);
	*password = NULL;
}
