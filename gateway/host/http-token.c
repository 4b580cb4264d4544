/*
 * Reads the token of the HTTP listener, and refuses a file that others may read or replace
 * the content of: whoever has the token sees who is logged in.
 */
#include "gateway/host/http-token.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/util.h"

static int judge_file(const struct stat *st, char why[static HTTP_TOKEN_WHY_MAX])
{
	if (!S_ISREG(st->st_mode))
		(void)snprintf(why, HTTP_TOKEN_WHY_MAX, "it is not a file");
	else if (st->st_uid != 0 && st->st_uid != geteuid())
		(void)snprintf(why, HTTP_TOKEN_WHY_MAX, "it belongs to another user (%u)",
			       (unsigned)st->st_uid);
	else if ((st->st_mode & 077) != 0)
		(void)snprintf(why, HTTP_TOKEN_WHY_MAX, "its mode %03o lets other users at it; chmod 600",
			       (unsigned)st->st_mode & 0777);
	else
		return 0;
	return -EPERM;
}

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
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	ssize_t n;
	int r;

	if (fd == -1 || fstat(fd, &st) == -1) {
		r = -errno;
		(void)snprintf(why, HTTP_TOKEN_WHY_MAX, "%s", strerror(-r));
		fd_close(&fd);
		return r;
	}
	r = judge_file(&st, why);
	if (r == 0) {
		n = read(fd, text, sizeof(text));
		r = n == -1 ? -errno : judge_text(text, (size_t)n, ret, why);
		if (n == -1)
			(void)snprintf(why, HTTP_TOKEN_WHY_MAX, "%s", strerror(-r));
		explicit_bzero(text, sizeof(text));
	}
	fd_close(&fd);
	return r;
}
