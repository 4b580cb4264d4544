/* Reads the token of the HTTP listener. Whoever has it sees who is logged in. */
#include "gateway/host/http-token.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/host/secret-file.h"

/* The first line is the token. */
static int judge_text(const char *text, size_t len, char ret[static HTTP_TOKEN_MAX + 1],
		      char why[static HTTP_TOKEN_WHY_MAX])
{
	size_t n = 0;

	while (n < len && text[n] > 0x20 && text[n] < 0x7f)
		n++;
	if (n < HTTP_TOKEN_MIN || n > HTTP_TOKEN_MAX ||
	    (n < len && text[n] != '\n' && !(text[n] == '\r' && n + 1 < len && text[n + 1] == '\n'))) {
		(void)snprintf(
		    why, HTTP_TOKEN_WHY_MAX,
		    "its first line must be a token of %d to %d printable characters without blanks",
		    HTTP_TOKEN_MIN, HTTP_TOKEN_MAX);
		return -EINVAL;
	}
	memset(ret, 0, HTTP_TOKEN_MAX + 1);
	memcpy(ret, text, n);
	return 0;
}

int http_token_read(const char *path, char ret[static HTTP_TOKEN_MAX + 1],
		    char why[static HTTP_TOKEN_WHY_MAX])
{
	char text[HTTP_TOKEN_MAX + 2];
	struct secret_file file;
	ssize_t n = secret_file_read(path, text, sizeof(text), &file);
	int r;

	if (n < 0) {
		(void)snprintf(why, HTTP_TOKEN_WHY_MAX, "%s", file.why);
		return (int)n;
	}
	r = judge_text(text, (size_t)n, ret, why);
	explicit_bzero(text, sizeof(text));
	return r;
}
